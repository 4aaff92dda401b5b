// Lists of words as text for people.
#pragma once

#include <string>
#include <vector>

namespace hotpair {

inline std::string joined(const std::vector<std::string>& words, const char* between = ", ") {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : between) + word;
  return text;
}

}  // namespace hotpair
