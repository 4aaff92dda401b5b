// Reading answers of the daemons: a key that is absent or of another type gives the neutral value,
// never an exception. A newer or older daemon than this program is thus still shown as well as it
// can be. Text is cleaned of control characters: it may come from the wire, and a terminal would
// obey it.
#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

namespace hotpair::ctl {

const nlohmann::json& child(const nlohmann::json& object, const char* key);  // null when absent
std::string text(const nlohmann::json& object, const char* key);
bool flag(const nlohmann::json& object, const char* key);
std::uint64_t count(const nlohmann::json& object, const char* key);
std::optional<double> number(const nlohmann::json& object, const char* key);
// {"lowest": 1, "highest": 2} as "1 to 2"; "-" when it is not said.
std::string spoken_range(const nlohmann::json& range);

}  // namespace hotpair::ctl
