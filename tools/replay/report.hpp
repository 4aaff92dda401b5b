// What was replayed, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/replay/player.hpp"

namespace hotpair::replay {

// One or more lines on a file; the last one ends with a newline.
std::string in_words(const FileReport& report);
nlohmann::json to_json(const FileReport& report);
nlohmann::json to_json(const Told& told);

// A line each: "2026-03-01T12:00:00.123456Z  data interface wan: down" and its decisions below it.
std::string verbose_lines(const Told& told);
// "    3.040 1 backup -> primary (failover, epoch 3): ...", as the golden stories have it.
std::string story_lines(const Told& told, int chassis);

}  // namespace hotpair::replay
