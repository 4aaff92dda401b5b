// What the kernel's connection tracking must be set to before it can be replicated, in the network
// namespace of this process. What cannot be set is said, with the command that would.
#pragma once

#include <cstdint>

#include "platform/base/log.hpp"
#include "platform/base/result.hpp"
#include "platform/config/config.hpp"

namespace hotpair::dpdk {

struct KernelTable {
  std::uint32_t max_sessions = 0;  // nf_conntrack_max; 0: unknown or unlimited
  std::uint32_t buckets = 0;       // 0: unknown
};

// Raises what `wanted` asks for and the kernel has less of; nothing is lowered. An error, with the
// command that mends it, when there is still less: sessions would be refused under load.
Result<KernelTable> prepare_kernel(const config::ConntrackSize& wanted, const Log& log);

}  // namespace hotpair::dpdk
