// The second line of `hotpair status`: all that is wrong, each in a few words, or that nothing is.
#include <algorithm>
#include <vector>

#include "tools/ctl/json_access.hpp"
#include "tools/ctl/status_view.hpp"

namespace hotpair::ctl {
namespace {

using Json = nlohmann::json;

std::string name_of(const Json& node, const char* fallback) {
  const std::string name = text(node, "hostname");
  return name.empty() ? fallback : name;
}

void look_at_node(const Json& node, const char* fallback, bool session_pickup,
                  std::vector<std::string>& alarms) {
  if (!node.is_object()) return;
  const std::string name = name_of(node, fallback);
  const Json& health = child(node, "health");
  const std::string forced = text(health, "forced");
  if (forced == "maintenance")
    alarms.push_back(name + " is in MAINTENANCE");
  else if (!forced.empty() && forced != "none")
    alarms.push_back(name + " is FORCED to " + forced + " by an operator");
  const Json& lost = child(node, "lost_interfaces");
  if (lost.is_array())
    for (const Json& interface : lost)
      alarms.push_back(name + " has lost " + text(Json{{"i", interface}}, "i"));
  if (const auto failed = count(health, "failed_modules"))
    alarms.push_back(name + " has " + spoken_count(failed) + " failed modules");
  if (health.is_object() && !flag(health, "management_link"))
    alarms.push_back(name + " has no management link");
  if (session_pickup && !flag(node, "dataplane_alive"))
    alarms.push_back(name + "'s data plane is DOWN");
}

std::string dead_paths(const Json& status) {
  std::string names;
  std::size_t dead = 0, all = 0;
  for (const Json& path : child(status, "heartbeat_paths")) {
    ++all;
    if (flag(path, "alive") && flag(path, "heard_by_peer")) continue;
    ++dead;
    names += (names.empty() ? "" : ", ") + text(path, "interface");
  }
  if (dead == 0) return "";
  return std::to_string(dead) + " of " + std::to_string(all) + " heartbeat paths DEAD (" + names +
         ")";
}

bool addresses_are_missing(const Json& status) {
  if (text(status, "role") != "primary") return false;
  const Json& addresses = child(status, "addresses");
  return std::any_of(addresses.begin(), addresses.end(),
                     [](const Json& address) { return !flag(address, "held"); });
}

std::vector<std::string> alarms_of(const Json& status) {
  std::vector<std::string> alarms;
  for (const Json& mismatch : child(status, "mismatches"))
    if (number(mismatch, "last_seen_ms").value_or(0) < 60'000)
      alarms.push_back(text(mismatch, "kind") + " on " + text(mismatch, "interface"));
  if (!text(status, "conflict").empty()) alarms.push_back("a conflict keeps it from deciding");
  const bool pickup = flag(status, "session_pickup");
  look_at_node(child(status, "node"), "this node", pickup, alarms);
  const Json& peer = child(status, "peer");
  if (flag(peer, "alive")) {
    look_at_node(peer, "the peer", pickup, alarms);
    if (const std::string dead = dead_paths(status); !dead.empty()) alarms.push_back(dead);
  }
  if (addresses_are_missing(status)) alarms.push_back("addresses are NOT HELD");
  if (const Json& failing = child(status, "failing"); failing.is_array())
    for (const Json& one : failing) alarms.push_back(text(Json{{"i", one}}, "i"));
  if (flag(status, "sync_overdue")) alarms.push_back("the backup is overdue to be in sync");
  const std::string suppressed = text(status, "suppressed");
  if (!suppressed.empty()) alarms.push_back("a move is HELD BACK: " + suppressed);
  if (const Json& warnings = child(status, "warnings"); warnings.is_array() && !warnings.empty())
    alarms.push_back(spoken_count(warnings.size()) +
                     (warnings.size() == 1 ? " warning below" : " warnings below"));
  return alarms;
}

}  // namespace

Verdict alarms(const Json& status) {
  std::string line;
  for (const std::string& alarm : alarms_of(status)) line += (line.empty() ? "" : "; ") + alarm;
  if (line.empty())
    return {"No alarms: nothing is forced, held back, lost or in conflict.", Tone::good};
  return {"ALARM: " + line + " (hotpair doctor)", Tone::bad};
}

}  // namespace hotpair::ctl
