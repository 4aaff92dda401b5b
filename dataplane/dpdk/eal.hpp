// DPDK's environment: started once, early, with what the configuration says and quietly. Its own
// log lines go to ours; the last of them explain a failure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "platform/base/log.hpp"
#include "platform/base/result.hpp"

namespace hotpair::dpdk {

struct EalOptions {
  bool hugepages = true;
  std::vector<unsigned> lcores;  // the first is DPDK's; empty: any CPU this process may run on
  std::vector<std::string> pci_devices;  // only these are touched; none: PCI is not looked at
  // What memory is taken for: each port's NUMA node, where it has one.
  std::vector<std::optional<unsigned>> port_nodes;
  std::string file_prefix;  // unique on the machine
};

Status start_eal(const EalOptions& options, const Log& log);
void stop_eal();

// What DPDK said last, for the sentence that explains a failure; empty when nothing.
std::string last_eal_words();

}  // namespace hotpair::dpdk
