// Reading netlink attributes in place. Whoever sends them is not trusted: nothing is read beyond an
// attribute, and a nest is walked only as deep as the code that walks it.
#pragma once

#include <cstring>
#include <string_view>

#include <netlink/attr.h>

#include "dataplane/core/session_tuple.hpp"
#include "platform/base/bytes.hpp"

namespace hotpair::conntrack {

inline const std::uint8_t* payload(const nlattr* attribute) {
  return static_cast<const std::uint8_t*>(nla_data(attribute));
}

// False, and `out` as it was, when the attribute is shorter than what is to be read.
template <typename T>
bool read(const nlattr* attribute, T& out) {
  if (nla_len(attribute) < static_cast<int>(sizeof(T))) return false;
  out = load_be<T>(payload(attribute));
  return true;
}
inline bool read(const nlattr* attribute, std::int32_t& out) {
  std::uint32_t bits = 0;
  if (!read(attribute, bits)) return false;
  out = static_cast<std::int32_t>(bits);
  return true;
}

inline bool read_address(const nlattr* attribute, std::size_t size, dataplane::Address& out) {
  if (nla_len(attribute) < static_cast<int>(size)) return false;
  std::memcpy(out.bytes.data(), payload(attribute), size);
  return true;
}

// A string up to its terminating zero, or whole without one.
inline std::string_view read_text(const nlattr* attribute) {
  const char* text = static_cast<const char*>(nla_data(attribute));
  return {text, strnlen(text, static_cast<std::size_t>(nla_len(attribute)))};
}

// Calls visit(attribute) for each attribute of a region; false when one is broken or refused.
template <typename Visit>
bool for_each(const nlattr* first, int length, Visit visit) {
  int left = length;
  const nlattr* at = first;
  while (nla_ok(at, left)) {
    if (!visit(at)) return false;
    at = nla_next(at, &left);
  }
  return left < static_cast<int>(sizeof(nlattr));
}

template <typename Visit>
bool for_each_nested(const nlattr* parent, Visit visit) {
  return for_each(static_cast<const nlattr*>(nla_data(parent)), nla_len(parent), visit);
}

}  // namespace hotpair::conntrack
