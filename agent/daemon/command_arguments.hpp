// What each command of the control socket takes. An argument that is misspelt or of another type is
// an error: an order that was to be rehearsed must not be carried out.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace hotpair::daemon {

// A sentence about the first mistake; empty when there is none, and for commands that are not the
// agent's own.
std::string mistake_in_arguments(const std::string& command, const nlohmann::json& request);

}  // namespace hotpair::daemon
