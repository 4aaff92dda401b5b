// A session as it is replicated: what one kernel conntrack entry is, without what is only this
// kernel's (ids, counters, accounting). Pure values; dataplane/conntrack translates to and from
// ctnetlink.
#pragma once

#include <array>
#include <cstdint>

namespace hotpair::dataplane {

struct Address {
  std::array<std::uint8_t, 16> bytes{};  // network order; IPv4 in the first four, the rest zero
  friend bool operator==(const Address&, const Address&) = default;
};

// One direction's tuple, ports in host order (ICMP: id in src_port, type << 8 | code in dst_port).
struct Tuple {
  Address src, dst;
  std::uint16_t src_port = 0, dst_port = 0;
  friend bool operator==(const Tuple&, const Tuple&) = default;
};

// What identifies a session: the original direction. Never changes during its life.
struct SessionKey {
  Tuple original;
  std::uint16_t zone = 0;
  std::uint8_t protocol = 0;  // IPPROTO_*
  bool ipv6 = false;
  friend bool operator==(const SessionKey&, const SessionKey&) = default;
};

// What may change during its life, and the reply tuple, which NAT made.
struct SessionState {
  Tuple reply;               // equals original reversed when there is no NAT
  std::uint32_t status = 0;  // IPS_* bits that are carried: kCarriedStatus
  std::uint32_t mark = 0;
  std::uint32_t timeout_s = 0;  // the full timeout of its present state, as last reported
  std::uint8_t tcp_state = 0;   // enum tcp_conntrack; 0 when not TCP
  std::uint8_t tcp_flags_original = 0, tcp_flags_reply = 0;  // IP_CT_TCP_FLAG_*
  std::uint8_t tcp_wscale_original = 0, tcp_wscale_reply = 0;
  friend bool operator==(const SessionState&, const SessionState&) = default;
};

// IPS_SEEN_REPLY | IPS_ASSURED | IPS_SRC_NAT | IPS_DST_NAT (linux/netfilter/nf_conntrack_common.h):
// the bits that differ between a session half open and one that must survive, and how NAT shaped
// it. The rest is derived by the kernel that installs the entry.
constexpr std::uint32_t kStatusSeenReply = 1u << 1;
constexpr std::uint32_t kStatusAssured = 1u << 2;
constexpr std::uint32_t kStatusSrcNat = 1u << 4;
constexpr std::uint32_t kStatusDstNat = 1u << 5;
constexpr std::uint32_t kCarriedStatus =
    kStatusSeenReply | kStatusAssured | kStatusSrcNat | kStatusDstNat;

struct Session {
  SessionKey key;
  SessionState state;
  friend bool operator==(const Session&, const Session&) = default;
};

constexpr Tuple reversed(const Tuple& t) {
  return {t.dst, t.src, t.dst_port, t.src_port};
}
constexpr bool has_nat(const Session& s) {
  return !(s.state.reply == reversed(s.key.original));
}

}  // namespace hotpair::dataplane
