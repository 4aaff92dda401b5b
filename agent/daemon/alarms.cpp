#include "agent/daemon/alarms.hpp"

#include <algorithm>
#include <string>

#include "platform/base/event_catalog.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;

constexpr const char *kMismatch = "mismatch", *kConflict = "conflict",
                     *kDualPrimary = "dual-primary", *kForced = "forced",
                     *kMaintenance = "maintenance", *kLinkLost = "link-lost",
                     *kModuleFailed = "module-failed", *kManagementLost = "management-link-lost",
                     *kDataplaneDown = "dataplane-down", *kPathsDead = "paths-dead",
                     *kAddressesMissing = "addresses-missing", *kFailing = "failing",
                     *kSyncOverdue = "sync-overdue", *kHeldBack = "held-back",
                     *kConfigDiffers = "config-differs", *kWarnings = "warnings",
                     *kPeerSilent = "peer-silent", *kProtocolDiffers = "protocol-differs",
                     *kPartitionMissing = "partition-missing";

constexpr std::int64_t kMismatchMs = 60'000;  // as long is one of the present

class Alarms {
 public:
  void add(const char* kind, std::string text) {
    list_.push_back({{"id", event_id("alarm-" + std::string(kind))},
                     {"kind", kind},
                     {"text", std::move(text)}});
  }
  json take() { return std::move(list_); }

 private:
  json list_ = json::array();
};

std::string words(const json& object, const char* key) {
  return object.value(key, std::string());
}

void look_at_node(const json& node, bool session_pickup, Alarms& alarms) {
  const std::string name = words(node, "hostname");
  const std::string forced = words(node, "forced");
  const json& health = node.at("health");
  if (forced == "maintenance")
    alarms.add(kMaintenance, name + " is in MAINTENANCE");
  else if (forced != "none")
    alarms.add(kForced, name + " is FORCED to " + forced + " by an operator");
  for (const auto& interface : node.at("lost_interfaces"))
    alarms.add(kLinkLost, name + " has lost " + interface.get<std::string>());
  if (const auto failed = health.value("failed_modules", 0); failed > 0)
    alarms.add(kModuleFailed, name + " has " + std::to_string(failed) + " failed modules");
  if (!health.value("management_link", true))
    alarms.add(kManagementLost, name + " has no management link");
  if (const std::string lacks = words(node, "lacks"); !lacks.empty())
    alarms.add(kPartitionMissing,
               name + " LACKS " + lacks + ": the role does not move there by choice");
  if (session_pickup && !node.value("dataplane_alive", false))
    alarms.add(kDataplaneDown, name + "'s data plane is DOWN");
}

void look_at_paths(const json& paths, Alarms& alarms) {
  std::string names;
  std::size_t dead = 0;
  for (const json& path : paths) {
    if (path.value("alive", false) && path.value("heard_by_peer", false)) continue;
    ++dead;
    names += (names.empty() ? "" : ", ") + words(path, "interface");
  }
  if (dead > 0)
    alarms.add(kPathsDead, std::to_string(dead) + " of " + std::to_string(paths.size()) +
                               " heartbeat paths DEAD (" + names + ")");
}

bool addresses_are_missing(const json& status) {
  const json& addresses = status.at("addresses");
  return words(status, "role") == "primary" &&
         std::any_of(addresses.begin(), addresses.end(),
                     [](const json& address) { return !address.value("held", false); });
}

bool differs(const json& status, const char* what) {
  const auto part = status.find(what);
  return part != status.end() && part->value("known", false) && part->value("in_sync", 0) == 0;
}

std::string what_differs(const json& status) {
  const bool files = differs(status, "config"), ruleset = differs(status, "ruleset");
  if (files && ruleset) return "the configuration files and the rulesets differ";
  return files ? "the configuration files differ" : ruleset ? "the rulesets differ" : "";
}

}  // namespace

json alarms_json(const json& status) {
  Alarms alarms;
  for (const json& mismatch : status.at("mismatches"))
    if (mismatch.value("last_seen_ms", std::int64_t{0}) < kMismatchMs)
      alarms.add(kMismatch, words(mismatch, "kind") + " on " + words(mismatch, "interface"));
  if (!words(status, "conflict").empty())
    alarms.add(kConflict, "a conflict keeps it from deciding");
  if (status.value("dual_primary", false)) alarms.add(kDualPrimary, "both nodes are PRIMARY");
  const bool pickup = status.value("session_pickup", false);
  look_at_node(status.at("node"), pickup, alarms);
  const json& peer = status.at("peer");
  const bool peer_alive = peer.is_object() && peer.value("alive", false);
  if (peer_alive) {
    look_at_node(peer, pickup, alarms);
    look_at_paths(status.at("heartbeat_paths"), alarms);
    if (status.at("protocol").at("agreed").is_null())
      alarms.add(kProtocolDiffers, "the nodes speak NO COMMON VERSION of the protocol");
  } else {
    alarms.add(kPeerSilent, (peer.is_object() ? words(peer, "hostname") : "the other node") +
                                " is not heard: there is NO BACKUP");
  }
  if (addresses_are_missing(status)) alarms.add(kAddressesMissing, "addresses are NOT HELD");
  for (const json& failing : status.at("failing")) alarms.add(kFailing, failing);
  if (status.value("sync_overdue", false))
    alarms.add(kSyncOverdue, "the backup is overdue to be in sync");
  if (const std::string why = words(status, "suppressed"); !why.empty())
    alarms.add(kHeldBack, "a move is HELD BACK: " + why);
  if (const std::string what = what_differs(status); peer_alive && !what.empty())
    alarms.add(kConfigDiffers, what);
  if (const std::size_t count = status.at("warnings").size(); count > 0)
    alarms.add(kWarnings, std::to_string(count) + (count == 1 ? " warning" : " warnings"));
  return alarms.take();
}

std::vector<std::string_view> alarm_kinds() {
  return {kMismatch,         kConflict,     kDualPrimary,     kForced,          kMaintenance,
          kLinkLost,         kModuleFailed, kManagementLost,  kDataplaneDown,   kPathsDead,
          kAddressesMissing, kFailing,      kSyncOverdue,     kHeldBack,        kConfigDiffers,
          kWarnings,         kPeerSilent,   kProtocolDiffers, kPartitionMissing};
}

}  // namespace hotpair::daemon
