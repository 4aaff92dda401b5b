// What the kernel's connection tracking must be set to before it can be replicated, in the network
// namespace of this process. What cannot be set is said, with the command that would.
#pragma once

#include <cstdint>

#include "platform/base/log.hpp"

namespace hotpair::dpdk {

struct KernelTable {
  std::uint32_t max_sessions = 0;  // nf_conntrack_max; 0: unknown or unlimited
  std::uint32_t buckets = 0;       // 0: unknown
};

KernelTable prepare_kernel(const Log& log);

}  // namespace hotpair::dpdk
