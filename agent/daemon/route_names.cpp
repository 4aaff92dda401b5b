#include "agent/daemon/route_names.hpp"

#include <algorithm>

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "agent/daemon/tunnel.hpp"

namespace hotpair::daemon {
namespace {

// By the device's own name where the configuration gives it none. A name that stands for another
// device there would lead the peer astray.
std::string shared_name(const RouteRules& rules, const std::string& device) {
  for (const auto& [name, own] : rules.devices)
    if (own == device) return name;
  return rules.devices.contains(device) ? std::string() : device;
}

std::optional<std::uint32_t> number_of_table(const std::string& name) {
  if (name == "main") return RT_TABLE_MAIN;
  if (name == "default") return RT_TABLE_DEFAULT;
  if (name.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  return static_cast<std::uint32_t>(std::stoul(name));  // the schema saw to its range
}

agent::RouteAddress shared_address(const sys::IpAddress& address) {
  return {address.ipv6, address.bytes};
}
sys::IpAddress local_address(const agent::RouteAddress& address) {
  return {address.ipv6, address.bytes};
}

}  // namespace

RouteRules make_route_rules(const config::Config& config, const NodePlan& plan) {
  const auto& sync = config.cluster.route_sync;
  RouteRules rules;
  for (const auto& name : sync.protocols)
    if (const auto number = config::route_protocol(name)) rules.protocols.insert(*number);
  rules.tables = {sync.tables.begin(), sync.tables.end()};
  if (rules.tables.empty()) {
    rules.tables.insert("main");
    for (const auto& system : config.cluster.logical_systems)
      if (!system.vrf.empty()) rules.tables.insert(system.vrf);
  }
  rules.devices = config.node.interfaces;
  for (const auto& interface : plan.data_interfaces) rules.data_devices.insert(interface.device);
  for (const auto& address : plan.addresses)
    if (!address.management) rules.data_devices.insert(address.device);
  for (const auto& macvlan : plan.virtual_devices) rules.data_devices.insert(macvlan.name);
  for (const auto& heartbeat : plan.heartbeats) rules.private_devices.insert(heartbeat.device);
  rules.private_devices.insert(kClusterDevice);
  return rules;
}

RouteNames::RouteNames(const RouteRules& rules, const std::vector<sys::LinkInfo>& links)
    : protocols_(rules.protocols) {
  for (const auto& link : links) {
    const std::string name = shared_name(rules, link.name);
    if (name.empty() || name.size() > agent::kMaxRouteName) continue;
    if (rules.data_devices.contains(link.name)) data_.insert(link.ifindex);
    if (!rules.private_devices.contains(link.name)) names_[link.ifindex] = name;
    links_[name] = {link.ifindex, link.admin_up};
    if (link.kind != "vrf" || link.vrf_table == 0) continue;
    vrfs_[link.vrf_table] = name;
    vrf_tables_[name] = link.vrf_table;
  }
  for (const auto& table : rules.tables) {
    if (const auto number = number_of_table(table)) tables_.insert(*number);
    if (const auto vrf = vrf_tables_.find(table); vrf != vrf_tables_.end())
      tables_.insert(vrf->second);
  }
}

std::string RouteNames::name_of(int ifindex) const {
  const auto found = names_.find(ifindex);
  return found == names_.end() ? std::string() : found->second;
}

std::optional<int> RouteNames::usable_device(const std::string& name) const {
  const auto found = links_.find(name);
  if (found == links_.end() || !found->second.second) return std::nullopt;
  return found->second.first;
}

std::optional<agent::Route> RouteNames::shared(const sys::KernelRoute& route) const {
  agent::Route out;
  out.prefix = shared_address(route.prefix.address);
  out.length = route.prefix.length;
  const auto vrf = vrfs_.find(route.table);
  if (vrf == vrfs_.end())
    out.table = route.table;
  else
    out.vrf = vrf->second;
  out.tos = route.tos;
  out.priority = route.priority;
  out.type = static_cast<agent::RouteType>(route.type);
  out.scope = route.scope;
  if (route.hops.size() > agent::kMaxRouteHops || route.metrics.size() > agent::kMaxRouteMetrics)
    return std::nullopt;
  for (const auto& hop : route.hops) {
    agent::RouteHop& added = out.hops.emplace_back();
    added.device = name_of(hop.ifindex);
    if (added.device.empty()) return std::nullopt;
    if (hop.gateway) added.gateway = shared_address(*hop.gateway);
    added.weight = hop.weight;
    added.onlink = hop.onlink;
  }
  for (const auto& metric : route.metrics) out.metrics.push_back({metric.kind, metric.value});
  return out;
}

std::optional<agent::RouteNeighbour> RouteNames::shared(
    const sys::KernelNeighbour& neighbour) const {
  const std::string name = name_of(neighbour.ifindex);
  if (name.empty() || !takes_neighbours_of(neighbour.ifindex) || !neighbour.usable())
    return std::nullopt;
  return agent::RouteNeighbour{name, shared_address(neighbour.address), neighbour.mac};
}

std::optional<std::uint32_t> RouteNames::table_of(const agent::Route& route) const {
  if (route.vrf.empty()) return route.table;
  const auto found = vrf_tables_.find(route.vrf);
  if (found == vrf_tables_.end()) return std::nullopt;
  return found->second;
}

std::optional<sys::KernelRoute> RouteNames::local(const agent::Route& route) const {
  const auto table = table_of(route);
  if (!table) return std::nullopt;
  sys::KernelRoute out;
  out.prefix = {local_address(route.prefix), route.length};
  out.table = *table;
  out.tos = route.tos;
  out.priority = route.priority;
  out.type = static_cast<std::uint8_t>(route.type);
  out.scope = route.scope;
  out.protocol = config::kOwnRouteProtocol;
  for (const auto& hop : route.hops) {
    const auto device = usable_device(hop.device);
    if (!device) return std::nullopt;
    sys::KernelHop& added = out.hops.emplace_back();
    added.ifindex = *device;
    if (hop.gateway) added.gateway = local_address(*hop.gateway);
    added.weight = hop.weight;
    added.onlink = hop.gateway.has_value();
  }
  for (const auto& metric : route.metrics) out.metrics.push_back({metric.kind, metric.value});
  return out;
}

std::optional<sys::KernelNeighbour> RouteNames::local(
    const agent::RouteNeighbour& neighbour) const {
  const auto device = usable_device(neighbour.device);
  if (!device || !takes_neighbours_of(*device)) return std::nullopt;
  return sys::KernelNeighbour{*device, local_address(neighbour.address), neighbour.mac,
                              config::kOwnRouteProtocol, NUD_STALE};
}

}  // namespace hotpair::daemon
