// `what-if` and `failover --dry-run`: a request's assumptions as the core takes them, and its
// answers as JSON. Pure; what a client sends is bounded and checked.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/core/what_if.hpp"
#include "platform/base/result.hpp"

namespace hotpair::daemon {

// The module in a slot of this node, when there is one; `ok` as far as that is known.
struct KnownModule {
  std::optional<bool> ok;
};
using FindModule = std::function<std::optional<KnownModule>(int slot)>;

// {"assumptions": [{"kind": "link", "name": "wan", "good": false, "node": 1}, ...]}; kinds are
// link, management, module (with "slot"), remote (with "name"), forced (with "state"), uptime (with
// "seconds") and power. Without "node" it is `self`.
Result<std::vector<agent::Assumption>> parse_assumptions(const nlohmann::json& request,
                                                         agent::ChassisId self,
                                                         const FindModule& find_module);
nlohmann::json to_json(const agent::WhatIf& answer);
nlohmann::json to_json(const agent::FailoverPlan& plan);

}  // namespace hotpair::daemon
