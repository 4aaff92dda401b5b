// The file of a run, and what `hotpair upgrade --json` says of its steps.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "platform/base/result.hpp"
#include "tools/ctl/upgrade/run.hpp"

namespace hotpair::ctl::upgrade {

nlohmann::json to_json(const Run& run);
// Of this or an earlier version; the error says what is wrong with it.
Result<Run> run_from(const std::string& text);

// One object: run, step, of, kind, node, chassis_id, state, seconds, detail, title.
nlohmann::json step_json(const Run& run, std::size_t index);

}  // namespace hotpair::ctl::upgrade
