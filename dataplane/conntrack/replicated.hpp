// What of a kernel entry can live on in another kernel, and what cannot.
#pragma once

#include <cstdint>

#include <linux/netfilter/nf_conntrack_tcp.h>
#include <netinet/in.h>

namespace hotpair::conntrack {

// SCTP (verification tags), DCCP (sequence numbers) and GRE (stream timeouts) keep state that
// ctnetlink cannot set from what a session carries: the kernel would drop or expire such an entry
// at its first packet, which is worse than tracking the flow anew.
constexpr bool is_replicated_protocol(std::uint8_t protocol) {
  return protocol != IPPROTO_SCTP && protocol != IPPROTO_DCCP && protocol != IPPROTO_GRE;
}

constexpr bool has_ports(std::uint8_t protocol) {
  return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE;
}

// The flags that describe the connection. The others describe one kernel's view of its window,
// which does not travel; BE_LIBERAL is set by whoever installs an entry.
constexpr std::uint8_t kReplicatedTcpFlags =
    IP_CT_TCP_FLAG_WINDOW_SCALE | IP_CT_TCP_FLAG_SACK_PERM | IP_CT_TCP_FLAG_CLOSE_INIT;

}  // namespace hotpair::conntrack
