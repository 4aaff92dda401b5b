// A session as it is replicated: what one kernel conntrack entry is, without what is only this
// kernel's (ids, counters, accounting). Pure values; dataplane/conntrack translates to and from
// ctnetlink.
#pragma once

#include <cstdint>

#include "dataplane/core/session_extras.hpp"
#include "dataplane/core/session_tuple.hpp"

namespace hotpair::dataplane {

// What identifies a session: the original direction. Never changes during its life.
struct SessionKey {
  Tuple original;
  std::uint16_t zone = 0;     // conntrack zone of that direction
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
  // enum tcp_conntrack, sctp_conntrack or ct_dccp_states; 0 with other protocols
  std::uint8_t tcp_state = 0;
  std::uint8_t tcp_flags_original = 0, tcp_flags_reply = 0;  // IP_CT_TCP_FLAG_*
  std::uint8_t tcp_wscale_original = 0, tcp_wscale_reply = 0;
  SharedExtras extras;  // what only some sessions have
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

inline std::uint16_t reply_zone(const Session& s) {
  return s.state.extras.has(Extras::kReplyZone) ? s.state.extras->reply_zone : s.key.zone;
}
inline bool has_nat(const Session& s) {
  return !(s.state.reply == reversed(s.key.original));
}

}  // namespace hotpair::dataplane
