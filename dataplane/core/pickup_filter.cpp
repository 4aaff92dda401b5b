#include "dataplane/core/pickup_filter.hpp"

#include <algorithm>

#include "dataplane/core/session_key.hpp"

namespace hotpair::dataplane {

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

Pickup judge(const PickupOptions& options, const Session& session) {
  const SessionKey& key = session.key;
  if (!options.enabled) return Pickup::disabled;
  const bool icmp = key.protocol == (key.ipv6 ? kProtocolIcmpv6 : kProtocolIcmp);
  if (key.protocol != kProtocolTcp && key.protocol != kProtocolUdp && !icmp)
    return Pickup::protocol;
  if (key.protocol == kProtocolUdp && !options.udp) return Pickup::udp_off;
  if (icmp && !options.icmp) return Pickup::icmp_off;
  for (const Prefix& prefix : options.exclude)
    if (contains(prefix, key.ipv6, key.original.src) ||
        contains(prefix, key.ipv6, key.original.dst))
      return Pickup::excluded;
  if (options.only_assured && (session.state.status & kStatusAssured) == 0)
    return Pickup::not_assured;
  return Pickup::carry;
}

}  // namespace hotpair::dataplane
