// What the agent's `status` says is wrong with the pair, judged: what was found, its likely cause,
// the command that mends it. Pure: the answers in, findings out.
#pragma once

#include <nlohmann/json.hpp>

#include "tools/ctl/doctor/report.hpp"

namespace hotpair::ctl {

// `status` with the data plane's own answer under "dataplane", as `hotpair status --json` gives it.
void check_pair(const nlohmann::json& status, Report& report);

void check_roles(const nlohmann::json& status, Report& report);
void check_mismatches(const nlohmann::json& status, Report& report);
void check_paths(const nlohmann::json& status, Report& report);
void check_sync(const nlohmann::json& status, Report& report);
void check_agreement(const nlohmann::json& status, Report& report);
void check_watchers(const nlohmann::json& status, Report& report);  // pair_watch_checks.cpp
// The answer of the agent's `config` with the action `facts`; null: there is none to judge.
void check_facts(const nlohmann::json& answer, Report& report);  // pair_fact_checks.cpp

}  // namespace hotpair::ctl
