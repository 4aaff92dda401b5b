// Logical systems as a node has them: whether each partition of the configuration is really there,
// and whether both nodes have the same ones. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hotpair::agent {

struct PartitionInterface {
  std::string name;  // the cluster's
  bool present = false, up = false;
  friend bool operator==(const PartitionInterface&, const PartitionInterface&) = default;
};

struct Partition {
  std::string name;
  std::string vrf;  // the cluster's name; empty: none
  bool vrf_present = false;
  std::uint16_t zone = 0;  // of connection tracking; 0: none of its own
  std::vector<PartitionInterface> interfaces;
  std::map<std::string, std::string> files;  // checksums of its synchronised paths
  friend bool operator==(const Partition&, const Partition&) = default;
};

// "VRF vrf-a", "interface lan-a": what of it this node lacks altogether. A link that is down is not
// lacking; the election sees to it.
std::vector<std::string> lacks(const Partition& partition);

// A sentence for each partition that one node lacks, in part or as a whole, or has otherwise than
// the peer. `peer` none: it has not told.
std::vector<std::string> partition_alarms(const std::vector<Partition>& own,
                                          const std::optional<std::vector<Partition>>& peer);

// A sentence for each path of a partition whose files are not the same on both nodes. A path that
// one node does not know yet is none.
std::vector<std::string> differing_files(const std::vector<Partition>& own,
                                         const std::optional<std::vector<Partition>>& peer);

// What `one` lacks of what `other` really has, in words; empty: nothing. What both lack is not it.
std::string lacking(const std::vector<Partition>& one, const std::vector<Partition>& other);

}  // namespace hotpair::agent
