#include "agent/daemon/node_config.hpp"

#include <algorithm>

#include "platform/base/words.hpp"

namespace hotpair::daemon {
namespace {

using config::Config;

void add_interface(const Config& config, const std::string& name, const std::string& logical_system,
                   std::vector<DataInterface>& out) {
  const auto known =
      std::find_if(out.begin(), out.end(), [&](const DataInterface& i) { return i.name == name; });
  if (known == out.end()) {
    out.push_back({name, config.node.device(name), logical_system, false, {}});
  } else if (known->logical_system.empty()) {
    known->logical_system = logical_system;
  }
}

// A device in the VRF of a logical system belongs to it, named in the configuration or not.
void add_vrf_members(const Config& config, const config::LogicalSystem& system,
                     const VrfMembers& vrf_members, std::vector<DataInterface>& out) {
  if (system.vrf.empty() || !vrf_members) return;
  const auto macvlans = virtual_devices(config);
  for (const auto& device : vrf_members(config.node.device(system.vrf))) {
    // What is below a macvlan of ours is watched; itself it is down on a backup.
    if (std::any_of(macvlans.begin(), macvlans.end(),
                    [&](const VirtualDevice& macvlan) { return macvlan.name == device; }))
      continue;
    const auto known = std::find_if(out.begin(), out.end(),
                                    [&](const DataInterface& i) { return i.device == device; });
    if (known == out.end())
      out.push_back({device, device, system.name, false, config.node.device(system.vrf)});
    else if (known->logical_system.empty())
      known->logical_system = system.name;
  }
}

std::vector<DataInterface> data_interfaces(const Config& config, const IsLag& is_lag,
                                           const VrfMembers& vrf_members) {
  std::vector<DataInterface> found;
  for (const auto& name : config.cluster.monitor.interfaces) add_interface(config, name, "", found);
  for (const auto& system : config.cluster.logical_systems)
    for (const auto& name : system.interfaces) add_interface(config, name, system.name, found);
  for (const auto& system : config.cluster.logical_systems)
    add_vrf_members(config, system, vrf_members, found);
  for (const auto& module : config.cluster.modules)
    for (const auto& name : module.interfaces) add_interface(config, name, "", found);
  const auto& monitor = config.cluster.monitor;
  for (auto& interface : found)
    interface.lag = monitor.lags_given ? std::find(monitor.lags.begin(), monitor.lags.end(),
                                                   interface.name) != monitor.lags.end()
                                       : is_lag(interface.device);
  return found;
}

std::vector<FloatingAddress> floating_addresses(const Config& config) {
  std::vector<FloatingAddress> found;
  for (const auto& redundant : config.cluster.redundant_interfaces) {
    const std::string device = redundant.virtual_mac ? virtual_device_name(redundant.interface)
                                                     : config.node.device(redundant.interface);
    for (const auto& address : redundant.addresses)
      found.push_back({redundant.interface, device, address, false, redundant.virtual_mac});
  }
  if (const auto& management = config.cluster.management)
    for (const auto& address : management->addresses)
      found.push_back(
          {management->interface, config.node.device(management->interface), address, true, false});
  return found;
}

std::vector<HeartbeatPath> heartbeat_paths(const Config& config) {
  std::vector<HeartbeatPath> found;
  for (const auto& interface : config.node.heartbeat_interfaces)
    found.push_back({interface.interface, interface.vlan,
                     interface.ethertype.value_or(config.cluster.heartbeat.ethertype)});
  return found;
}

std::optional<sys::UdpOptions> management_path(const Config& config) {
  const auto& path = config.node.management_path;
  if (!path) return std::nullopt;
  const auto local = sys::parse_ip(path->local), peer = sys::parse_ip(path->peer);
  HOTPAIR_ASSERT(local && peer);  // the schema took them
  return sys::UdpOptions{*local, *peer, path->port};
}

void set_paths(const NodePlan& plan, const Config& config, agent::NodeConfig& node) {
  for (std::size_t i = 0; i < plan.heartbeats.size(); ++i)
    node.paths[i] = {true, agent::PathConfig::Kind::heartbeat, plan.heartbeats[i].device};
  if (!config.node.session_sync.devices.empty())
    node.paths[agent::kSessionSyncPath] = {true, agent::PathConfig::Kind::session_sync,
                                           config.node.session_sync.devices.front()};
  if (config.node.management_path)
    node.paths[agent::kManagementPath] = {true, agent::PathConfig::Kind::management, "management"};
}

agent::SplitBrain split_brain(config::SplitBrain policy) {
  switch (policy) {
    case config::SplitBrain::stay:
      return agent::SplitBrain::stay;
    case config::SplitBrain::witness:
      return agent::SplitBrain::witness;
    case config::SplitBrain::takeover:
      break;
  }
  return agent::SplitBrain::takeover;
}

// Two nodes that probe one target notice its end up to an interval apart, and an answer that is
// still awaited adds another; this much for the rest.
constexpr Duration kProbeSlack = 100ms;

agent::NodeConfig core_config(const NodePlan& plan, const Config& config) {
  const auto& cluster = config.cluster;
  agent::NodeConfig node;
  node.self = config.node.chassis_id == 1 ? agent::ChassisId::one : agent::ChassisId::two;
  node.serial = config.node.serial;
  node.hostname = config.node.hostname;
  node.priority = module_priority(config);
  node.override_ = cluster.election.override_;
  node.uptime_margin = cluster.election.uptime_margin;
  node.board_failover_tolerance =
      static_cast<std::uint8_t>(cluster.election.board_failover_tolerance);
  node.hold = cluster.election.hold;
  node.split_brain = split_brain(cluster.election.split_brain);
  node.witness = cluster.election.witness;
  node.sync_timeout = cluster.election.sync_timeout;
  node.flap_backoff = cluster.election.flap_backoff;
  node.flap_backoff_max = cluster.election.flap_backoff_max;
  node.interval = cluster.heartbeat.interval;
  node.lost_threshold = cluster.heartbeat.lost_threshold;
  node.hello_holddown = cluster.heartbeat.hello_holddown;
  node.session_pickup = cluster.session_pickup.enabled;
  node.cluster_digest = cluster.digest;
  set_paths(plan, config, node);
  for (const auto& interface : plan.data_interfaces)
    node.data_interfaces.push_back({interface.name, interface.lag, interface.logical_system});
  for (const auto& remote : cluster.monitor.remote)
    node.remote_monitors.push_back({remote.address, static_cast<std::uint8_t>(remote.weight),
                                    2 * remote.interval + kProbeSlack});
  return node;
}

void compare(const std::string& key, const std::string& running, const std::string& wanted,
             std::vector<std::string>& out) {
  if (running != wanted)
    out.push_back(key + " (running with '" + running + "', the file says '" + wanted + "')");
}

std::string describe(const std::vector<HeartbeatPath>& paths) {
  std::string text;
  for (const auto& path : paths)
    text += (text.empty() ? "" : ", ") + path.device + " vlan " + std::to_string(path.vlan) +
            " ethertype " + std::to_string(path.ethertype);
  return text;
}

std::string describe(const std::optional<config::ManagementPath>& path) {
  return path ? path->local + " to " + path->peer + " port " + std::to_string(path->port) : "none";
}

}  // namespace

std::uint32_t module_priority(const Config& config) {
  std::uint32_t sum = 0;
  bool any = false;
  for (const auto& module : config.cluster.modules) {
    if (module.kind != config::Module::Kind::interface) continue;
    any = true;
    const auto own = config.node.modules.find(module.slot);
    const bool overridden = own != config.node.modules.end() && own->second.priority.has_value();
    sum += overridden ? *own->second.priority : module.priority;
  }
  return any ? sum : config.node.priority;
}

Result<NodePlan> make_plan(const Config& config, const IsLag& is_lag,
                           const VrfMembers& vrf_members) {
  NodePlan plan;
  plan.data_interfaces = data_interfaces(config, is_lag, vrf_members);
  if (plan.data_interfaces.size() > agent::kMaxDataInterfaces)
    return fail_with("the configuration names " + std::to_string(plan.data_interfaces.size()) +
                     " data interfaces, and " + std::to_string(agent::kMaxDataInterfaces) +
                     " can be watched; shorten monitor.interfaces, modules or logical_systems in "
                     "cluster.yaml");
  plan.addresses = floating_addresses(config);
  if (plan.addresses.size() > kMaxFloatingAddresses)
    return fail_with("the configuration names " + std::to_string(plan.addresses.size()) +
                     " addresses, and " + std::to_string(kMaxFloatingAddresses) +
                     " can follow the primary; shorten redundant_interfaces in cluster.yaml");
  plan.virtual_devices = virtual_devices(config);
  plan.heartbeats = heartbeat_paths(config);
  plan.management_path = management_path(config);
  if (config.cluster.management)
    plan.management_device = config.node.device(config.cluster.management->interface);
  plan.node = core_config(plan, config);
  return plan;
}

std::vector<std::string> changes_that_need_a_restart(const Config& running, const Config& wanted) {
  std::vector<std::string> out;
  const auto number = [](auto value) { return std::to_string(value); };
  compare("chassis_id", number(running.node.chassis_id), number(wanted.node.chassis_id), out);
  compare("serial", running.node.serial, wanted.node.serial, out);
  compare("group_id", number(running.cluster.group_id), number(wanted.cluster.group_id), out);
  compare("password_file", running.cluster.password_file, wanted.cluster.password_file, out);
  compare("heartbeat_interfaces", describe(heartbeat_paths(running)),
          describe(heartbeat_paths(wanted)), out);
  compare("session_sync.devices", joined(running.node.session_sync.devices),
          joined(wanted.node.session_sync.devices), out);
  compare("management_path", describe(running.node.management_path),
          describe(wanted.node.management_path), out);
  return out;
}

}  // namespace hotpair::daemon
