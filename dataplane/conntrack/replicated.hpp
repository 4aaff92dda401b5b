// What the kernel's protocols are like, as far as a copy of an entry depends on it.
#pragma once

#include <cstdint>

#include <linux/netfilter/nf_conntrack_tcp.h>
#include <netinet/in.h>

namespace hotpair::conntrack {

// Of GRE too: the keys of its two directions are where others have ports.
constexpr bool has_ports(std::uint8_t protocol) {
  switch (protocol) {
    case IPPROTO_TCP:
    case IPPROTO_UDP:
    case IPPROTO_UDPLITE:
    case IPPROTO_SCTP:
    case IPPROTO_DCCP:
    case IPPROTO_GRE:
      return true;
    default:
      return false;
  }
}

// How long a GRE entry lives is kept in the entry and cannot be set: what is written as others are
// would end with its first packet (nf_conntrack_proto_gre.c). So such an entry is written with a
// timeout that no packet changes, long enough that either end speaks meanwhile; after that the
// kernel follows the tunnel anew.
constexpr bool has_fixed_timeout(std::uint8_t protocol) {
  return protocol == IPPROTO_GRE;
}
constexpr std::uint32_t kFixedTimeoutSeconds = 3600;

// The flags that describe the connection. The others describe one kernel's view of its window,
// which does not travel; BE_LIBERAL is set by whoever installs an entry.
constexpr std::uint8_t kReplicatedTcpFlags =
    IP_CT_TCP_FLAG_WINDOW_SCALE | IP_CT_TCP_FLAG_SACK_PERM | IP_CT_TCP_FLAG_CLOSE_INIT;

}  // namespace hotpair::conntrack
