// Pieces of YAML, for the commands that write configuration. Pure; any thread.
#pragma once

#include <string>

namespace hotpair::ctl {

// A text of YAML whatever it holds; JSON's strings are YAML's.
inline std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace hotpair::ctl
