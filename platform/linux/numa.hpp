// On which NUMA node a CPU, a card and memory are, as the kernel tells in /sys.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace hotpair::sys {

struct NumaNode {
  unsigned number = 0;
  std::set<unsigned> cpus;
  std::size_t free_hugepage_megabytes = 0;  // of all sizes
};

// By their numbers; empty where the kernel does not tell. `sysfs` is another place in tests.
std::vector<NumaNode> numa_nodes(const std::string& sysfs = "/sys");

// None where there is no such device, and where it is as near to one node as to another.
std::optional<unsigned> numa_node_of_pci(const std::string& full_address,
                                         const std::string& sysfs = "/sys");
std::optional<unsigned> numa_node_of_interface(const std::string& name,
                                               const std::string& sysfs = "/sys");

// Of a session-sync device (platform/base/dpdk_device.hpp).
std::optional<unsigned> numa_node_of_device(const std::string& device);
// Null where no node has that CPU.
const NumaNode* numa_node_of_cpu(const std::vector<NumaNode>& nodes, unsigned cpu);

// The command that reserves hugepages on that node alone.
std::string reserve_hugepages_command(unsigned node);

}  // namespace hotpair::sys
