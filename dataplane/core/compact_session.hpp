// A session as the table keeps it: 28 bytes for IPv4, whatever else it has standing beside it in a
// side pool (SideStore): the addresses of IPv6, the reply tuple of NAT, extras. Most sessions have
// none of these.
#pragma once

#include <cstdint>

#include "dataplane/core/session.hpp"

namespace hotpair::dataplane {

// What stands beside a compact session.
enum class Side : std::uint8_t {
  none = 0,  // IPv4 without NAT
  nat = 1,   // IPv4: the reply tuple
  ipv6 = 2,  // IPv6 without NAT: both addresses
  wide = 3   // IPv6 with NAT, and whatever has extras: all of it
};

struct CompactSession {
  std::uint32_t src = 0, dst = 0;  // IPv4 in host order; 0 with IPv6
  std::uint16_t src_port = 0, dst_port = 0;
  std::uint16_t zone = 0;
  std::uint8_t protocol = 0;
  std::uint8_t form = 0;  // Side in the low two bits, then ipv6
  std::uint32_t mark = 0, timeout_s = 0;
  std::uint8_t status_and_state = 0;  // packed_status(), the TCP state in the low four bits
  std::uint8_t tcp_flags_original = 0, tcp_flags_reply = 0;
  std::uint8_t tcp_wscales = 0;  // original in the high four bits
  std::uint32_t side = 0;        // its place in the side pool; 0 without one

  static constexpr std::uint8_t kSideBits = 3, kIpv6 = 4;

  Side side_kind() const { return static_cast<Side>(form & kSideBits); }
  bool ipv6() const { return (form & kIpv6) != 0; }
  friend bool operator==(const CompactSession&, const CompactSession&) = default;
};
static_assert(sizeof(CompactSession) == 32);

// Four status bits in the high half of a byte: seen reply, assured, source NAT, destination NAT.
inline std::uint8_t packed_status(std::uint32_t status) {
  return static_cast<std::uint8_t>(
      ((status & kStatusSeenReply) ? 0x80u : 0u) | ((status & kStatusAssured) ? 0x40u : 0u) |
      ((status & kStatusSrcNat) ? 0x20u : 0u) | ((status & kStatusDstNat) ? 0x10u : 0u));
}
inline std::uint32_t unpacked_status(std::uint8_t byte) {
  return ((byte & 0x80) ? kStatusSeenReply : 0) | ((byte & 0x40) ? kStatusAssured : 0) |
         ((byte & 0x20) ? kStatusSrcNat : 0) | ((byte & 0x10) ? kStatusDstNat : 0);
}

// A normalised session for the table: compact, and whole when something stands beside it. Lives no
// longer than what it was made of.
struct SessionView {
  CompactSession compact;
  const Session* whole = nullptr;  // null: `compact` says all

  SessionView() = default;
  explicit SessionView(const Session& normalised);
  explicit SessionView(const CompactSession& all) : compact(all) {}
};

// True, and `out` is the session normalised, when nothing needs to stand beside it.
bool compact_alone(const Session& session, CompactSession& out);
// Of a compact session alone: IPv4 without NAT.
Session expanded(const CompactSession& alone);
// The fields that stand in the compact form; addresses and reply tuple only of IPv4 without NAT.
void expand_into(const CompactSession& compact, Session& out);

// The IPv4 key, or the rest of an IPv6 key.
inline bool same_inline_key(const CompactSession& a, const CompactSession& b) {
  return a.src == b.src && a.dst == b.dst && a.src_port == b.src_port && a.dst_port == b.dst_port &&
         a.zone == b.zone && a.protocol == b.protocol &&
         ((a.form ^ b.form) & ~CompactSession::kSideBits) == 0;
}
// Of two sessions with one key and nothing beside either: the parts an update does not carry.
inline bool same_rarely_changing(const CompactSession& a, const CompactSession& b) {
  return a.mark == b.mark && a.tcp_wscales == b.tcp_wscales;
}

}  // namespace hotpair::dataplane
