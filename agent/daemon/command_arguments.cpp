#include "agent/daemon/command_arguments.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "agent/daemon/control_schema.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;

enum class Kind { boolean, text, count, list };
struct Argument {
  std::string_view key;
  Kind kind;
};
struct Known {
  std::string_view command;
  std::vector<Argument> arguments;
};

const std::array<Known, 9>& known_commands() {
  namespace names = control::command;
  static const std::array<Known, 9> kKnown{
      {{names::kStatus, {}},
       {names::kWhy, {}},
       {names::kHistory, {{"limit", Kind::count}}},
       {names::kFailover, {{"force", Kind::boolean}, {"dry_run", Kind::boolean}}},
       {names::kForce, {{"state", Kind::text}}},
       {names::kMaintenance, {{"on", Kind::boolean}}},
       {names::kReload, {}},
       {names::kPassword, {{"action", Kind::text}, {"back", Kind::boolean}}},
       {names::kWhatIf, {{"assumptions", Kind::list}}}}};
  return kKnown;
}

bool fits(const json& value, Kind kind) {
  switch (kind) {
    case Kind::boolean:
      return value.is_boolean();
    case Kind::text:
      return value.is_string();
    case Kind::count:
      return value.is_number_unsigned() && value.get<std::uint64_t>() != 0;
    case Kind::list:
      return value.is_array();
  }
  return false;
}

std::string_view allowed(Kind kind) {
  switch (kind) {
    case Kind::boolean:
      return "true or false";
    case Kind::text:
      return "a text";
    case Kind::count:
      return "a whole number above 0";
    case Kind::list:
      return "a list";
  }
  return {};
}

// Empty: every argument is known and of its type.
std::string mistake_in(const json& request, const Known& known) {
  for (const auto& item : request.items()) {
    const std::string& key = item.key();
    if (key == "command") continue;
    const auto argument = std::find_if(known.arguments.begin(), known.arguments.end(),
                                       [&](const Argument& a) { return a.key == key; });
    if (argument == known.arguments.end()) {
      std::string keys;
      for (const Argument& a : known.arguments)
        keys += (keys.empty() ? "" : ", ") + std::string(a.key);
      return std::string(known.command) + " takes no '" + key.substr(0, 40) + "'; it takes " +
             (keys.empty() ? "nothing" : keys);
    }
    if (!fits(item.value(), argument->kind))
      return "\"" + key + "\" is " + std::string(allowed(argument->kind));
  }
  return {};
}

}  // namespace

std::string mistake_in_arguments(const std::string& command, const json& request) {
  for (const Known& known : known_commands())
    if (known.command == command) return mistake_in(request, known);
  return {};
}

}  // namespace hotpair::daemon
