// Addresses and tuples: who talks to whom.
#pragma once

#include <array>
#include <compare>
#include <cstdint>

namespace hotpair::dataplane {

struct Address {
  std::array<std::uint8_t, 16> bytes{};  // network order; IPv4 in the first four, the rest zero
  friend auto operator<=>(const Address&, const Address&) = default;
};

// One direction's tuple, ports in host order (ICMP: id in src_port, type << 8 | code in dst_port;
// GRE: the call keys).
struct Tuple {
  Address src, dst;
  std::uint16_t src_port = 0, dst_port = 0;
  friend auto operator<=>(const Tuple&, const Tuple&) = default;
};

constexpr Tuple reversed(const Tuple& t) {
  return {t.dst, t.src, t.dst_port, t.src_port};
}

}  // namespace hotpair::dataplane
