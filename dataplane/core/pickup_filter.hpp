// Which sessions are replicated: cluster.yaml's session_pickup as a pure predicate, applied where
// sessions enter the engine. The delay is not judged here: the sender keeps a young session back
// for that long. What is link-local is never carried: no router forwards it (RFC 3927, 4291), so it
// is a session of the box itself, and the other box may be its other end. So it is when only the
// translated destination is: the management address leads to the other box that way.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/core/compact_session.hpp"
#include "dataplane/core/session.hpp"
#include "platform/base/time.hpp"

namespace hotpair::dataplane {

// An address prefix in network byte order; IPv4 in the first four bytes.
struct Prefix {
  std::array<std::uint8_t, 16> address{};
  std::uint8_t length = 0;  // 0-32 or 0-128; longer counts as the longest
  bool ipv6 = false;
};

struct PickupOptions {
  bool enabled = false;
  bool udp = true;    // and UDP-Lite
  bool icmp = false;  // echo and the other queries that conntrack follows
  bool sctp = true;
  bool expectations = true;     // with a session goes what its helper expects
  bool only_assured = false;    // session_pickup.from: assured
  Duration delay{};             // a session younger than this is not sent
  std::vector<Prefix> exclude;  // matched against both addresses of the original direction
};

enum class Pickup : std::uint8_t {
  carry,
  disabled,
  protocol,
  udp_off,
  icmp_off,
  sctp_off,
  link_local,
  excluded,
  not_assured
};

// The first reason, in the order of the enumerators, why `session` is not replicated; carry when
// none.
Pickup judge(const PickupOptions& options, const Session& session);
// True: judge() says carry. False: it may say so all the same. Of a session with nothing beside it.
inline bool plainly_carried(const PickupOptions& options, const CompactSession& alone) {
  const auto link_local = [](std::uint32_t address) { return address >> 16 == 0xa9fe; };
  const bool protocol =
      alone.protocol == kProtocolTcp || (alone.protocol == kProtocolUdp && options.udp);
  return options.enabled && !options.only_assured && options.exclude.empty() && protocol &&
         !link_local(alone.src) && !link_local(alone.dst);
}
bool contains(const Prefix& prefix, bool ipv6, const Address& address);

}  // namespace hotpair::dataplane
