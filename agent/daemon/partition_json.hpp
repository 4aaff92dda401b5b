// Partitions as the two agents tell each other of them.
#pragma once

#include <optional>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/core/partition.hpp"

namespace hotpair::daemon {

nlohmann::json to_json(const std::vector<agent::Partition>& partitions);
// None: malformed, or more than any configuration has.
std::optional<std::vector<agent::Partition>> partitions_from(const nlohmann::json& json);

}  // namespace hotpair::daemon
