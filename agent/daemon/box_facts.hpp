// What of a box beside its files makes a firewall behave as it does: kernel settings, kernel
// modules, interfaces, versions. Two nodes of a pair should agree on each; `hotpair config diff`
// shows where they do not. The list is fixed and stands in README.md (configuration sync).
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <vector>

namespace hotpair::daemon {

// "sysctl net.ipv4.ip_forward" -> "1", "package nftables" -> "1.0.6-2"; what is not there is "-".
using BoxFacts = std::map<std::string, std::string>;

// `devices`: the cluster's name of each interface -> this box's device. Runs dpkg-query, for a few
// seconds at most.
BoxFacts read_box_facts(const std::map<std::string, std::string>& devices,
                        const std::atomic<bool>& stopping);

struct FactDifference {
  std::string name, own, peer;
  friend bool operator==(const FactDifference&, const FactDifference&) = default;
};
// A fact that one side does not know of is no difference: the other may be a newer version.
std::vector<FactDifference> differing_facts(const BoxFacts& own, const BoxFacts& peer);

}  // namespace hotpair::daemon
