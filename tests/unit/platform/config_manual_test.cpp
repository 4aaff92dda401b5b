// The manual of the configuration says what the schema says: every key, and the true defaults.
#include <gtest/gtest.h>

#include "platform/config/manual.hpp"
#include "platform/config/schema.hpp"

namespace hotpair::config {
namespace {

constexpr const char* kNode = "chassis_id: 1\nheartbeat_interfaces: [{ interface: ha0 }]\n";
constexpr const char* kCluster = "group_id: 7\n";

TEST(ConfigManual, HasALineForEachKeyOfTheSchemaAndNoOther) {
  for (const auto& manual : {node_manual(), cluster_manual()})
    for (const ManualEntry& entry : manual)
      EXPECT_NE(entry.meaning, "") << entry.path << " has no line in platform/config/keys.def";
  for (const std::string& path : strays_of_manual())
    ADD_FAILURE() << "keys.def has a line for " << path << ", which the schema does not know";
}

// "a.b" of a map as YAML: "a: { b: value }"; what is required beside it is added.
std::string as_yaml(const ManualEntry& entry, const std::string& beside) {
  std::string text, end;
  std::string path = entry.path;
  for (std::size_t dot; (dot = path.find('.')) != std::string::npos; path = path.substr(dot + 1)) {
    text += path.substr(0, dot) + ": { ";
    end += " }";
  }
  return text + beside + path + ": " + entry.standard + end + "\n";
}

struct Shown {
  std::string node, cluster;
};
Shown shown(const std::string& node, const std::string& cluster) {
  const auto config = parse_config(node, cluster);
  if (!config) ADD_FAILURE() << config.error().front().text();
  if (!config) return {};
  return {node_schema().show(config->node), cluster_schema().show(config->cluster)};
}

TEST(ConfigManual, SetsTheDefaultsItNamesAndNothingChanges) {
  const Shown plain = shown(kNode, kCluster);
  for (const ManualEntry& entry : node_manual()) {
    const bool in_a_list = entry.path.starts_with("heartbeat_interfaces.");
    const bool of_an_optional = entry.path.starts_with("management_path.");
    if (entry.standard.empty() || in_a_list || of_an_optional) continue;
    EXPECT_EQ(shown(kNode + as_yaml(entry, ""), kCluster).node, plain.node) << entry.path;
  }
  for (const ManualEntry& entry : cluster_manual()) {
    const bool in_a_list =
        entry.path.starts_with("redundant_interfaces.") ||
        entry.path.starts_with("events.snmp_trap.") || entry.path.starts_with("monitor.remote.") ||
        entry.path.starts_with("modules.") || entry.path.starts_with("management.") ||
        entry.path.starts_with("logical_systems.");
    if (entry.standard.empty() || in_a_list) continue;
    EXPECT_EQ(shown(kNode, kCluster + as_yaml(entry, "")).cluster, plain.cluster) << entry.path;
  }
}

// The same for what stands in lists: an item with the default, and one without.
TEST(ConfigManual, SetsTheDefaultsOfItemsAndNothingChanges) {
  struct Item {
    const char* list;
    std::string item;
  };
  const Item items[] = {
      {"redundant_interfaces", "interface: lan, addresses: [192.0.2.1/24]"},
      {"monitor.remote", "address: 192.0.2.9, interface: lan"},
      {"modules", "slot: 1, kind: interface, interfaces: [lan]"},
      {"modules", "slot: 1, kind: worker, command: [/bin/true]"},
  };
  const std::string base =
      std::string(kCluster) + "logical_systems: [{ name: a, interfaces: [lan] }]\n";
  for (const Item& item : items) {
    const std::string list = item.list;
    const auto file = [&](const std::string& more) {
      const std::string list_text = "[{ " + item.item + more + " }]";
      return base + (list == "monitor.remote" ? "monitor: { remote: " + list_text + " }\n"
                                              : list + ": " + list_text + "\n");
    };
    const bool worker = item.item.find("worker") != std::string::npos;
    for (const ManualEntry& entry : cluster_manual()) {
      if (!entry.path.starts_with(list + ".") || entry.standard.empty()) continue;
      const std::string key = entry.path.substr(list.size() + 1);
      if (list == "modules" && (key == "priority") == worker) continue;
      EXPECT_EQ(shown(kNode, file(", " + key + ": " + entry.standard)).cluster,
                shown(kNode, file("")).cluster)
          << entry.path;
    }
  }
}

}  // namespace
}  // namespace hotpair::config
