#include "dataplane/core/pickup_filter.hpp"

#include <algorithm>

#include "dataplane/core/session_key.hpp"

namespace hotpair::dataplane {

namespace {

const Prefix kLinkLocal4{{169, 254}, 16, false}, kLinkLocal6{{0xfe, 0x80}, 10, true};

}  // namespace

bool contains(const Prefix& prefix, bool ipv6, const Address& address) {
  if (prefix.ipv6 != ipv6) return false;
  const unsigned length = std::min<unsigned>(prefix.length, ipv6 ? 128 : 32);
  const std::size_t whole = length / 8;
  if (!std::equal(prefix.address.begin(), prefix.address.begin() + whole, address.bytes.begin()))
    return false;
  if (length % 8 == 0) return true;
  const unsigned differing = unsigned{prefix.address[whole]} ^ unsigned { address.bytes[whole] };
  return (differing >> (8 - length % 8)) == 0;
}

namespace {

Pickup judge_protocol(const PickupOptions& options, const SessionKey& key) {
  switch (key.protocol) {
    case kProtocolTcp:
    case kProtocolDccp:
    case kProtocolGre:
      return Pickup::carry;
    case kProtocolUdp:
    case kProtocolUdplite:
      return options.udp ? Pickup::carry : Pickup::udp_off;
    case kProtocolSctp:
      return options.sctp ? Pickup::carry : Pickup::sctp_off;
    default:
      if (key.protocol != (key.ipv6 ? kProtocolIcmpv6 : kProtocolIcmp)) return Pickup::protocol;
      return options.icmp ? Pickup::carry : Pickup::icmp_off;
  }
}

}  // namespace

Pickup judge(const PickupOptions& options, const Session& session) {
  const SessionKey& key = session.key;
  if (!options.enabled) return Pickup::disabled;
  if (const Pickup of_protocol = judge_protocol(options, key); of_protocol != Pickup::carry)
    return of_protocol;
  const Prefix& link_local = key.ipv6 ? kLinkLocal6 : kLinkLocal4;
  if (contains(link_local, key.ipv6, key.original.src) ||
      contains(link_local, key.ipv6, key.original.dst) ||
      contains(link_local, key.ipv6, session.state.reply.src))
    return Pickup::link_local;
  for (const Prefix& prefix : options.exclude)
    if (contains(prefix, key.ipv6, key.original.src) ||
        contains(prefix, key.ipv6, key.original.dst))
      return Pickup::excluded;
  if (options.only_assured && (session.state.status & kStatusAssured) == 0)
    return Pickup::not_assured;
  return Pickup::carry;
}

}  // namespace hotpair::dataplane
