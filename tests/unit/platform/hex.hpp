// Test vectors as their standards print them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/bytes.hpp"

namespace hotpair::test {

inline std::vector<std::uint8_t> from_hex(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  unsigned value = 0;
  int digits = 0;
  for (char c : text) {
    const std::size_t digit = std::string_view("0123456789abcdef").find(c);
    if (digit == std::string_view::npos) continue;
    value = value * 16 + static_cast<unsigned>(digit);
    if (++digits % 2 == 0) {
      bytes.push_back(static_cast<std::uint8_t>(value));
      value = 0;
    }
  }
  return bytes;
}

inline std::string to_hex(Bytes bytes) {
  std::string text;
  for (std::uint8_t b : bytes) {
    text.push_back("0123456789abcdef"[b >> 4]);
    text.push_back("0123456789abcdef"[b & 15]);
  }
  return text;
}

}  // namespace hotpair::test
