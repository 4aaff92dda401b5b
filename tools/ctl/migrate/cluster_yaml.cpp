// The draft as YAML, in the order of the schema.
#include <set>

#include "tools/ctl/migrate/migration.hpp"
#include "tools/ctl/yaml_text.hpp"

namespace hotpair::ctl::migrate {
namespace {

std::string list(const std::vector<std::string>& items) {
  std::string text = "[";
  for (const std::string& item : items) text += (text.size() > 1 ? ", " : "") + quoted(item);
  return text + "]";
}

std::string sessions(const Draft& draft) {
  std::string text = "session_pickup:\n  enabled: true\n";
  if (draft.only_assured) text += "  from: assured\n";
  for (const auto& [name, carried] : draft.protocols)
    text += "  " + name + ": " + (carried ? "true" : "false") + "\n";
  if (draft.expectations)
    text += std::string("  expectations: ") + (*draft.expectations ? "true" : "false") + "\n";
  if (!draft.excluded.empty()) text += "  exclude: " + list(draft.excluded) + "\n";
  return text;
}

std::string interfaces(const Draft& draft) {
  std::string text;
  std::vector<std::string> monitored;
  if (!draft.addresses.empty()) text += "redundant_interfaces:\n";
  for (const auto& [name, addresses] : draft.addresses) {
    const auto vmac = draft.virtual_mac.find(name);
    text += "  - { interface: " + quoted(name) + ", addresses: " + list(addresses) +
            (vmac != draft.virtual_mac.end() ? ", virtual_mac: true }\n" : " }\n");
    monitored.push_back(name);
  }
  std::set<std::string> more(draft.tracked.begin(), draft.tracked.end());
  for (const auto& [name, addresses] : draft.addresses) more.erase(name);
  if (more.empty()) return text;
  monitored.insert(monitored.end(), more.begin(), more.end());
  return text + "monitor:\n  interfaces: " + list(monitored) + "\n";
}

std::string checks(const Draft& draft) {
  std::string text = draft.checks.empty() ? "" : "modules:\n";
  int slot = 0;
  for (const Check& check : draft.checks) {
    text += "  # " + check.name + "\n  - { slot: " + std::to_string(++slot) +
            ", kind: worker, command: " + list(check.command);
    for (const auto& [key, value] : check.timing) text += ", " + key + ": " + value;
    text += " }\n";
  }
  return text;
}

std::string takeover(const Draft& draft) {
  const bool garp = draft.garp_count || !draft.garp_interval.empty();
  if (!garp && draft.hooks.empty()) return "";
  std::string text = "takeover:\n";
  if (garp) text += "  garp:\n";
  if (draft.garp_count) text += "    count: " + std::to_string(*draft.garp_count) + "\n";
  if (!draft.garp_interval.empty()) text += "    interval: " + draft.garp_interval + "\n";
  if (!draft.hooks.empty()) text += "  hooks:\n";
  for (const auto& [role, commands] : draft.hooks) {
    text += "    " + role + ":\n";
    for (const auto& command : commands) text += "      - " + list(command) + "\n";
  }
  return text;
}

}  // namespace

std::string cluster_yaml(const Draft& draft) {
  std::string text = "# The same on both boxes; made by 'hotpair migrate'.\n";
  text += "group_id: " + std::to_string(draft.group_id.value_or(1)) + "\n";
  if (!draft.group_name.empty()) text += "group_name: " + quoted(draft.group_name) + "\n";
  if (draft.override_ || !draft.hold.empty()) {
    text += "election:\n";
    if (draft.override_) text += "  override: true\n";
    if (!draft.hold.empty()) text += "  hold: " + draft.hold + "\n";
  }
  return text + sessions(draft) + interfaces(draft) + checks(draft) + takeover(draft);
}

}  // namespace hotpair::ctl::migrate
