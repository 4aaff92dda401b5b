// Reading netlink attributes in place. Whoever sends them is not trusted: nothing is read beyond an
// attribute, and a nest is walked only as deep as the code that walks it.
#pragma once

#include <cstring>
#include <string_view>

#include <linux/netlink.h>

#include "dataplane/core/session_tuple.hpp"
#include "platform/base/bytes.hpp"

namespace hotpair::conntrack {

// Here and not libnl's, which are calls into a library each: an event has some forty attributes,
// and several hundred thousand events come in a second.
constexpr int kAttributeHeader = sizeof(nlattr), kAttributeAlign = 4;
inline unsigned type_of(const nlattr* attribute) {
  return attribute->nla_type & static_cast<unsigned>(NLA_TYPE_MASK);
}
// Bytes of its payload.
inline int size_of(const nlattr* attribute) {
  return attribute->nla_len - kAttributeHeader;
}
inline const std::uint8_t* payload(const nlattr* attribute) {
  return static_cast<const std::uint8_t*>(static_cast<const void*>(attribute)) + kAttributeHeader;
}

// False, and `out` as it was, when the attribute is shorter than what is to be read.
template <typename T>
bool read(const nlattr* attribute, T& out) {
  if (size_of(attribute) < static_cast<int>(sizeof(T))) return false;
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
  if (size_of(attribute) < static_cast<int>(size)) return false;
  std::memcpy(out.bytes.data(), payload(attribute), size);
  return true;
}

// A string up to its terminating zero, or whole without one.
inline std::string_view read_text(const nlattr* attribute) {
  const char* text = static_cast<const char*>(static_cast<const void*>(payload(attribute)));
  return {text, strnlen(text, static_cast<std::size_t>(size_of(attribute)))};
}

// Calls visit(attribute) for each attribute of a region; false when one is broken or refused.
template <typename Visit>
bool for_each(const nlattr* first, int length, Visit visit) {
  int left = length;
  const nlattr* at = first;
  while (left >= kAttributeHeader && at->nla_len >= kAttributeHeader && at->nla_len <= left) {
    if (!visit(at)) return false;
    const int step = (at->nla_len + kAttributeAlign - 1) & ~(kAttributeAlign - 1);
    left -= step;
    at = static_cast<const nlattr*>(
        static_cast<const void*>(static_cast<const char*>(static_cast<const void*>(at)) + step));
  }
  return left < kAttributeHeader;
}

template <typename Visit>
bool for_each_nested(const nlattr* parent, Visit visit) {
  return for_each(static_cast<const nlattr*>(static_cast<const void*>(payload(parent))),
                  size_of(parent), visit);
}

}  // namespace hotpair::conntrack
