// What `hotpair setup` writes, from what it was told: the files as values, so that they can be
// checked before the first one is written.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "platform/base/result.hpp"

namespace hotpair::ctl::setup {

// Where things go; all can be moved, for tests and images.
struct Places {
  std::string config_dir = "/etc/hotpair";
  std::string sysctl_dir = "/etc/sysctl.d";
  std::string unit_dir = "/etc/systemd/system";
};

using Pair = std::pair<std::string, std::string>;  // NAME=VALUE as given

struct Answers {
  int chassis_id = 0;
  std::vector<std::string> heartbeats;  // kernel NICs, "ha0" or "ha0:999"
  std::vector<std::string> sync;        // "0000:3b:00.1", a kernel NIC, or a whole DPDK device
  std::vector<Pair> devices;            // the cluster's name and this box's device
  std::vector<Pair> addresses;          // the cluster's name and an address with prefix length
  int group_id = -1;
  std::string group_name;
  bool pickup = true;
  unsigned hugepages = 128;                 // of 2 MiB, when a NIC is driven by DPDK
  std::optional<std::string> cluster_text;  // the other box's cluster.yaml, taken as it is
  std::string password;
};

struct File {
  std::string path;
  mode_t mode = 0644;
  std::string content;
  std::string what;  // for people
};
struct Link {
  std::string path, target;
  std::string what;
};
struct Plan {
  std::string node_text, cluster_text;
  std::vector<File> files;
  std::vector<Link> links;
  std::vector<std::string> nics;  // PCI addresses that vfio-pci takes
};

// "lan=ens3f0"; none without both sides.
std::optional<Pair> parse_pair(const std::string& text);

// The error is a sentence for the operator.
Result<Plan> make_plan(const Answers& answers, const Places& places);

}  // namespace hotpair::ctl::setup
