// The screen that is read at three in the morning: the verdict first, then both nodes side by side,
// then what connects them. Pure: the answer of `status` in, text out.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "tools/ctl/style.hpp"

namespace hotpair::ctl {

std::string status_view(const Style& style, const nlohmann::json& status);

std::string sessions_view(const Style& style, const nlohmann::json& status);  // its block
std::string upgrade_view(const Style& style, const nlohmann::json& status);   // the same

// How far a rolling upgrade is; empty: none goes on.
std::string upgrade_sentence(const nlohmann::json& status);

struct Verdict {
  std::string text;
  Tone tone;
};
// One sentence: who is primary, since when, and whether there is a backup that could take over.
Verdict verdict(const nlohmann::json& status);

// All that is wrong in a few words, or that nothing is: the second line.
Verdict alarms(const nlohmann::json& status);

// How a heartbeat path, an election criterion or a count is said; shared with other commands.
std::string election_sentence(const nlohmann::json& status);
std::string spoken_values(const nlohmann::json& election);  // "20 Gbit/s against 10 Gbit/s"

}  // namespace hotpair::ctl
