// A health vector as `status`, `what-if` and `history` show it.
#pragma once

#include <nlohmann/json.hpp>

#include "agent/core/types.hpp"

namespace hotpair::daemon {

nlohmann::json health_json(const agent::HealthVector& health);

}  // namespace hotpair::daemon
