#include "dataplane/dpdk/node_memory.hpp"

#include <algorithm>
#include <map>

namespace hotpair::dpdk {

namespace {

Failure<Error> nothing_there(const sys::NumaNode& home, unsigned cpu,
                             const std::vector<sys::NumaNode>& nodes) {
  std::string what = "session_sync.hugepages is true and NUMA node " + std::to_string(home.number) +
                     ", which CPU " + std::to_string(cpu) +
                     " is on, has no free hugepages; reserve some with '" +
                     sys::reserve_hugepages_command(home.number) + "'";
  for (const sys::NumaNode& node : nodes)
    if (node.free_hugepage_megabytes > 0 && !node.cpus.empty())
      return fail_with(what + ", or name a CPU of node " + std::to_string(node.number) +
                       " in session_sync.lcores: " + std::to_string(*node.cpus.begin()));
  return fail_with(what);
}

}  // namespace

Result<std::vector<std::string>> memory_words(
    const std::vector<sys::NumaNode>& nodes, unsigned cpu,
    const std::vector<std::optional<unsigned>>& port_nodes) {
  const sys::NumaNode* const home = sys::numa_node_of_cpu(nodes, cpu);
  if (nodes.size() < 2 || home == nullptr)
    return std::vector<std::string>{
        "-m", std::to_string(kMegabytes + port_nodes.size() * kMegabytesAPort)};
  if (home->free_hugepage_megabytes == 0) return nothing_there(*home, cpu, nodes);

  std::map<unsigned, std::size_t> wanted = {{home->number, kMegabytes}};
  for (const auto& node : port_nodes) wanted[node.value_or(home->number)] += kMegabytesAPort;
  std::vector<std::size_t> given(nodes.back().number + 1);
  for (const sys::NumaNode& node : nodes)
    given[node.number] = std::min(wanted[node.number], node.free_hugepage_megabytes);
  std::string amounts;
  for (const std::size_t amount : given)
    amounts += (amounts.empty() ? "" : ",") + std::to_string(amount);
  return std::vector<std::string>{"--socket-mem", amounts};
}

}  // namespace hotpair::dpdk
