// All that is wrong with the pair now, in a few words each: what `status` says, and the one list
// that `hotpair status`, the metrics and every other view show. Pure: read from the rest of the
// status, so that an alarm and what it is about never disagree.
#pragma once

#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace hotpair::daemon {

// [{"id", "kind", "text"}], worst understood first; empty: nothing is forced, held back, lost or in
// conflict.
nlohmann::json alarms_json(const nlohmann::json& status);
// Every kind there is.
std::vector<std::string_view> alarm_kinds();

}  // namespace hotpair::daemon
