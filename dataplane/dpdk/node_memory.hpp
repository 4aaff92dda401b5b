// How much memory DPDK takes of which NUMA node when it starts (pure). Left to itself it takes all
// of it from the node of the CPU that has the lcore's number, which is 0 whatever CPU it is on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "platform/base/result.hpp"
#include "platform/linux/numa.hpp"

namespace hotpair::dpdk {

// The packet buffers of a port take 5 MB, or 20 where it takes jumbo frames; the rest is what DPDK
// keeps for itself.
constexpr std::size_t kMegabytes = 40, kMegabytesAPort = 24;

// Words of DPDK's command line: on one node how much, on several how much of each. A port's is on
// its own node, where that is known, all else on the lcore's; of a node that has less free, what it
// has. The error, where the lcore's has nothing (DPDK ends the process then), names what mends it.
Result<std::vector<std::string>> memory_words(
    const std::vector<sys::NumaNode>& nodes, unsigned cpu,
    const std::vector<std::optional<unsigned>>& port_nodes);

}  // namespace hotpair::dpdk
