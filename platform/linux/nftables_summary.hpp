// What a box's nftables ruleset amounts to, without understanding it. Sources:
// linux/netfilter/nf_tables.h; net/netfilter/nft_ct.c, nft_nat.c (what turns connection tracking
// on in a network namespace).
#pragma once

#include <cstddef>
#include <string_view>

#include "platform/base/result.hpp"

namespace hotpair::sys {

struct NftSummary {
  std::size_t tables = 0;  // but those that are not to count
  bool tracks = false;     // a rule asks for the state of connections, translates or offloads them
};

// Tables of the name `but` do not count; their rules do. Needs CAP_NET_ADMIN. Blocks for 5 s at
// most.
Result<NftSummary> read_nft_summary(std::string_view but);

}  // namespace hotpair::sys
