// What follows the primary beside sessions, in `hotpair status`: files, ruleset, routes.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "tools/ctl/style.hpp"

namespace hotpair::ctl {

// Blocks with an empty line between them; empty: nothing is synchronised.
std::string synchronised(const Style& style, const nlohmann::json& status);

}  // namespace hotpair::ctl
