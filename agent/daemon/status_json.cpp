#include "agent/daemon/status_json.hpp"

#include <cstdio>
#include <ctime>

#include "agent/daemon/health_json.hpp"
#include "platform/base/event_catalog.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;

template <std::size_t N>
std::string text(const agent::ShortText<N>& value) {
  return std::string(value.view());
}

std::string since(const StatusView& view, Instant then) {
  return iso_time(view.wall_now_ms - to_ms(view.now - then));
}

json candidate_json(const agent::HealthVector& health, const agent::Serial& serial) {
  json candidate = health_json(health);
  candidate["serial"] = text(serial);
  return candidate;
}

template <std::size_t N, std::size_t M>
json list_json(const StaticVector<agent::ShortText<N>, M>& items) {
  json list = json::array();
  for (const auto& item : items) list.push_back(text(item));
  return list;
}

std::string hex(std::uint64_t value) {
  char digits[20];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(value));
  return digits;
}

int number(agent::ChassisId id) {
  return static_cast<int>(id);
}

json node_json(const StatusView& view) {
  const auto& node = view.node;
  return {{"chassis_id", number(node.self)},
          {"hostname", view.config.node.hostname},
          {"serial", view.config.node.serial},
          {"role", agent::to_string(node.role)},
          {"epoch", node.epoch.number},
          {"role_since", since(view, node.role_since)},
          {"role_seconds", to_seconds(view.now - node.role_since)},
          {"reason", text(node.role_reason)},
          {"forced", agent::to_string(node.forced)},
          {"addresses_held", node.addresses_held},
          {"health", candidate_json(node.health, view.plan.node.serial)},
          {"dataplane_alive", node.replication.dataplane_alive},
          {"sessions", node.replication.sessions},
          {"lacks", text(node.lacking_here)},
          {"failed_module", text(view.published.failed_module)},
          {"lost_interfaces", list_json(view.published.lost_interfaces)}};
}

json last_heard_json(const StatusView& view, std::optional<Instant> heard) {
  if (!heard) return nullptr;
  return std::max<std::int64_t>(0, to_ms(view.now - *heard));
}

std::optional<Instant> peer_last_heard(const StatusView& view) {
  std::optional<Instant> newest;
  for (const auto& path : view.node.paths)
    if (path.ever_heard && (!newest || path.last_heard > *newest)) newest = path.last_heard;
  return newest;
}

json peer_json(const StatusView& view) {
  const auto& node = view.node;
  if (!node.peer_known) return nullptr;
  const auto& peer = node.peer;
  const Instant role_since = view.peer_role_since.value_or(view.now);
  return {{"chassis_id", number(agent::other(node.self))},
          {"hostname", text(peer.hostname)},
          {"serial", text(peer.serial)},
          {"role", agent::to_string(peer.role)},
          {"epoch", peer.epoch.number},
          {"role_since", since(view, role_since)},
          {"role_seconds", to_seconds(view.now - role_since)},
          {"reason", text(peer.role_reason)},
          {"forced", agent::to_string(peer.health.forced)},
          {"addresses_held", node.peer_alive && peer.role == agent::Role::primary},
          {"health", candidate_json(peer.health, peer.serial)},
          {"dataplane_alive", peer.replication.dataplane_alive},
          {"sessions", peer.replication.sessions},
          {"lacks", text(node.lacking_there)},
          {"failed_module", text(peer.failed_module)},
          {"lost_interfaces", list_json(peer.lost_interfaces)},
          {"alive", node.peer_alive},
          {"last_heard_ms", last_heard_json(view, peer_last_heard(view))},
          {"version", text(peer.version)},
          {"cluster_digest", hex(peer.cluster_digest)}};
}

json range_json(const agent::ProtocolRange& range) {
  return {{"lowest", range.lowest}, {"highest", range.highest}};
}

json protocol_json(const StatusView& view) {
  json protocol{
      {"node", range_json(view.plan.node.protocol)}, {"peer", nullptr}, {"agreed", nullptr}};
  if (!view.node.peer_known) return protocol;
  protocol["peer"] = range_json(view.node.peer.protocol);
  if (view.node.protocol) protocol["agreed"] = *view.node.protocol;
  return protocol;
}

json replication_json(const StatusView& view) {
  const auto& node = view.node;
  const bool primary = node.role == agent::Role::primary;
  const auto& lagging = primary ? node.replication : node.peer.replication;
  const bool known = primary || node.peer_known;
  return {{"in_sync", node.in_sync},
          {"lag_sessions", known ? lagging.lag_sessions : 0},
          {"lag_us", known ? lagging.lag_us : 0},
          {"sessions_local", node.replication.sessions},
          {"sessions_peer", node.peer_known ? node.peer.replication.sessions : 0}};
}

json election_json(const agent::NodeStatus& node) {
  if (!node.verdict_known) return nullptr;
  return {{"winner", number(node.verdict.winner)},
          {"criterion", agent::to_string(node.verdict.criterion)},
          {"winner_value", text(node.verdict.winner_value)},
          {"loser_value", text(node.verdict.loser_value)}};
}

json jitter_json(const agent::BeatJitter& jitter, Instant now) {
  return {{"max_ms", to_seconds(jitter.max()) * 1e3},
          {"recent_max_ms", to_seconds(jitter.recent_max(now)) * 1e3},
          {"late", jitter.late()}};
}

json path_json(const StatusView& view, std::size_t id, json interface, json vlan, bool link_up,
               std::string_view kind) {
  const auto& path = view.node.paths[id];
  return {{"path", id},
          {"kind", kind},
          {"interface", std::move(interface)},
          {"vlan", std::move(vlan)},
          {"link_up", link_up},
          {"alive", path.alive},
          {"best", path.best},
          {"last_heard_ms",
           last_heard_json(view, path.ever_heard ? std::optional(path.last_heard) : std::nullopt)},
          {"received", path.received},
          {"lost", path.lost},
          {"jitter", jitter_json(view.jitter[id], view.now)},
          {"heard_by_peer", view.node.peer_known && (view.node.peer.paths_alive >> id & 1) != 0}};
}

json paths_json(const StatusView& view) {
  json list = json::array();
  for (std::size_t i = 0; i < view.plan.heartbeats.size(); ++i)
    list.push_back(path_json(view, i, view.plan.heartbeats[i].device, view.plan.heartbeats[i].vlan,
                             view.heartbeat_link_up.at(i), "heartbeat"));
  const auto& sync = view.plan.node.paths[agent::kSessionSyncPath];
  if (sync.configured)
    list.push_back(path_json(view, agent::kSessionSyncPath, text(sync.name), nullptr,
                             view.dataplane_port_up, "session_sync"));
  if (const auto& management = view.plan.management_path) {
    json path = path_json(view, agent::kManagementPath, sys::to_text(management->local), nullptr,
                          view.management_open, "management");
    path["peer"] = sys::to_text(management->peer);
    path["port"] = management->port;
    path["foreign"] = view.management_foreign;
    list.push_back(std::move(path));
  }
  return list;
}

json lag_json(const LagState& lag) {
  json members = json::array();
  for (const auto& member : lag.members)
    members.push_back({{"device", member.device},
                       {"up", member.up},
                       {"usable", member.usable},
                       {"why", member.why}});
  return {{"mode", lag.mode},
          {"members", std::move(members)},
          {"usable", lag.usable},
          {"total", lag.members.size()},
          {"state", to_string(lag.score)}};
}

json interfaces_json(const StatusView& view) {
  json list = json::array();
  for (std::size_t i = 0; i < view.plan.data_interfaces.size(); ++i) {
    const auto& interface = view.plan.data_interfaces[i];
    const auto& state = view.data_interfaces.at(i);
    list.push_back({{"name", interface.name},
                    {"device", interface.device},
                    {"present", state.present},
                    {"up", state.up},
                    {"speed_mbps", state.speed_mbps},
                    {"logical_system", interface.logical_system},
                    {"lag", state.lag ? lag_json(*state.lag) : json(nullptr)}});
  }
  return list;
}

json virtual_mac_json(const NodePlan& plan, const FloatingAddress& address) {
  for (const VirtualDevice& device : plan.virtual_devices)
    if (address.virtual_mac && device.name == address.device) return sys::to_text(device.mac);
  return nullptr;
}

json addresses_json(const StatusView& view) {
  json list = json::array();
  for (std::size_t i = 0; i < view.plan.addresses.size(); ++i) {
    const auto& address = view.plan.addresses[i];
    list.push_back({{"interface", address.interface},
                    {"device", address.device},
                    {"address", address.address.text},
                    {"held", static_cast<bool>(view.addresses_held.at(i))},
                    {"foreign", static_cast<bool>(view.addresses_foreign.at(i))},
                    {"put_back", view.addresses_put_back.at(i)},
                    {"virtual_mac", virtual_mac_json(view.plan, address)}});
  }
  return list;
}

json modules_json(const StatusView& view) {
  json list = json::array();
  for (const auto& row : view.modules)
    list.push_back({{"slot", row.slot},
                    {"kind", row.kind},
                    {"name", row.name},
                    {"state", to_string(row.word.state)},
                    {"reason", row.word.reason},
                    {"last_output", row.word.last_output},
                    {"since", since(view, row.since)}});
  return list;
}

json reached_json(Reached reached) {
  if (reached == Reached::unknown) return nullptr;
  return reached == Reached::yes;
}

json remote_monitors_json(const StatusView& view) {
  json list = json::array();
  for (const auto& row : view.remote_monitors)
    list.push_back({{"address", row.address},
                    {"interface", row.interface},
                    {"method", row.method},
                    {"reached", reached_json(row.reached)},
                    {"last_answer_ms", last_heard_json(view, row.last_answer)},
                    {"weight", row.weight},
                    {"trouble", row.trouble}});
  return list;
}

json witness_json(const StatusView& view) {
  if (!view.witness) return nullptr;
  return {{"address", view.config.cluster.election.witness},
          {"answers", reached_json(view.witness->reached)},
          {"last_answer_ms", last_heard_json(view, view.witness->last_answer)},
          {"trouble", view.witness->trouble}};
}

json mismatches_json(const StatusView& view) {
  json list = json::array();
  for (const auto& row : view.mismatches)
    list.push_back({{"id", event_id(event_of_mismatch(row.kind))},
                    {"kind", row.kind},
                    {"interface", row.interface},
                    {"count", row.count},
                    {"last_seen", row.last_seen},
                    {"last_seen_ms", std::max<std::int64_t>(0, to_ms(view.now - row.last))},
                    {"detail", row.detail},
                    {"cause", row.cause},
                    {"advice", row.advice}});
  return list;
}

}  // namespace

std::string iso_time(std::int64_t ms_since_epoch) {
  const std::time_t seconds = static_cast<std::time_t>(ms_since_epoch / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char date[32], full[40];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(full, sizeof full, "%s.%03dZ", date, static_cast<int>(ms_since_epoch % 1000));
  return full;
}

json status_json(const StatusView& view) {
  const auto& node = view.node;
  return {{"ok", true},
          {"version", view.version},
          {"time", view.wall_now},
          {"cluster_digest", hex(view.config.cluster.digest)},
          {"group_id", view.config.cluster.group_id},
          {"group_name", view.config.cluster.group_name},
          {"role", agent::to_string(node.role)},
          {"epoch", node.epoch.number},
          {"in_sync", node.in_sync},
          {"node", node_json(view)},
          {"peer", peer_json(view)},
          {"protocol", protocol_json(view)},
          {"session_pickup", view.config.cluster.session_pickup.enabled},
          {"replication", replication_json(view)},
          {"election", election_json(node)},
          {"sync_overdue", node.sync_overdue},
          {"suppressed", text(node.suppressed)},
          {"conflict", text(node.conflict)},
          {"failing", list_json(node.failing)},
          {"dual_primary", node.dual_primary},
          {"dual_primary_episodes", node.dual_primary_episodes},
          {"heartbeat_paths", paths_json(view)},
          {"data_interfaces", interfaces_json(view)},
          {"addresses", addresses_json(view)},
          {"modules", modules_json(view)},
          {"remote_monitors", remote_monitors_json(view)},
          {"witness", witness_json(view)},
          {"neighbours", view.neighbours},
          {"mismatches", mismatches_json(view)},
          {"rejected", view.rejected},
          {"warnings", view.warnings}};
}

}  // namespace hotpair::daemon
