// Names of devices in a ruleset: what travels has the cluster's names (`interfaces` of node.yaml),
// a kernel its box's own.
#pragma once

#include <map>
#include <string>

#include "agent/core/nft_ruleset.hpp"

namespace hotpair::agent {

// `ruleset` with each device of `names` called by its other name, in rules, hooks, flowtables and
// the elements that belong to it. Comments and log prefixes stay.
NftRuleset with_devices(const NftRuleset& ruleset, const std::map<std::string, std::string>& names);

}  // namespace hotpair::agent
