// Elements of a kernel's set as the two nodes tell them to each other, and back.
#pragma once

#include <optional>
#include <vector>

#include "agent/core/element_table.hpp"
#include "agent/core/nft_ruleset.hpp"
#include "platform/linux/nftables_sets.hpp"

namespace hotpair::daemon {

agent::NftSetName name_of(const sys::NftSetId& set);
sys::NftSetId id_of(const agent::NftSetName& name);

std::vector<agent::SetElement> as_told(std::vector<sys::NftElement> elements);
std::vector<sys::NftElement> for_kernel(const std::vector<agent::SetElement>& elements);

// What the kernel told of a set. None: it tells of parts of elements, and the set has to be read.
std::optional<std::vector<agent::ElementReport>> reports_of(
    const sys::NftSet& set, std::vector<sys::NftElementEvent> events);

}  // namespace hotpair::daemon
