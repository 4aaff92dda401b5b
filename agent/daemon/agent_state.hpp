// agent::PersistedState as <state-dir>/agent.state: {"epoch": 12, "forced": "none"}.
#pragma once

#include <string>
#include <string_view>

#include "agent/core/types.hpp"
#include "platform/base/result.hpp"

namespace hotpair::daemon {

constexpr const char* kStateFile = "agent.state";
constexpr const char* kHistoryFile = "history.json";

std::string state_text(const agent::PersistedState& state);
// Damaged text is an error: an epoch that was used already must not be used again by guess.
Result<agent::PersistedState> parse_state(std::string_view text);
// No file: a node that was never primary.
Result<agent::PersistedState> read_state(const std::string& state_dir);

}  // namespace hotpair::daemon
