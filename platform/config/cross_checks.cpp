#include <algorithm>
#include <map>
#include <set>

#include "platform/config/schema.hpp"
#include "platform/linux/ip_address.hpp"

namespace hotpair::config {
namespace {

constexpr std::size_t kLongestDevice = 15;

std::string indexed(const std::string& list, std::size_t index) {
  return list + "[" + std::to_string(index) + "]";
}

// Reports the second of two equal values, naming where the first stands.
class Unique {
 public:
  explicit Unique(Context& context) : context_(context) {}

  void add(const std::string& value, const std::string& path, const std::string& shown) {
    if (value.empty()) return;
    const auto [first, fresh] = first_.try_emplace(value, path);
    if (!fresh)
      context_.report(context_.line_of(path), path, shown,
                      "each only once (it stands at " + first->second + ", line " +
                          std::to_string(context_.line_of(first->second)) + ")");
  }
  void add(const std::string& value, const std::string& path) { add(value, path, value); }
  void add_all(const std::vector<std::string>& values, const std::string& path) {
    for (std::size_t i = 0; i < values.size(); ++i) add(values[i], indexed(path, i));
  }

 private:
  Context& context_;
  std::map<std::string, std::string> first_;
};

void check_references(Context& context, const std::vector<std::string>& names,
                      const std::string& path, const std::set<std::string>& known,
                      const std::string& where) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i].empty() || known.contains(names[i])) continue;
    const std::string guess = nearest(names[i], {known.begin(), known.end()});
    context.report(context.line_of(indexed(path, i)), indexed(path, i), names[i],
                   "an interface named in " + where +
                       (guess.empty() ? std::string() : "; did you mean " + guess + "?"));
  }
}

std::set<std::string> logical_system_interfaces(const ClusterFile& cluster) {
  std::set<std::string> names;
  for (const LogicalSystem& system : cluster.logical_systems)
    names.insert(system.interfaces.begin(), system.interfaces.end());
  return names;
}

// Two logical systems may use one address: their VRFs keep them apart.
std::string logical_system_of(const ClusterFile& cluster, const std::string& interface) {
  for (const LogicalSystem& system : cluster.logical_systems)
    if (std::find(system.interfaces.begin(), system.interfaces.end(), interface) !=
        system.interfaces.end())
      return system.name;
  return {};
}

void check_addresses(Context& context, const ClusterFile& cluster) {
  Unique interfaces(context), addresses(context);
  auto add = [&](const std::vector<AddressPrefix>& list, const std::string& interface,
                 const std::string& path) {
    const std::string system = logical_system_of(cluster, interface);
    for (std::size_t i = 0; i < list.size(); ++i)
      if (!list[i].text.empty())
        addresses.add(system + " " + sys::to_text(sys::IpAddress{list[i].ipv6, list[i].address}),
                      indexed(path, i), list[i].text);
  };
  for (std::size_t i = 0; i < cluster.redundant_interfaces.size(); ++i) {
    const RedundantInterface& each = cluster.redundant_interfaces[i];
    const std::string path = indexed("redundant_interfaces", i);
    interfaces.add(each.interface, path + ".interface");
    add(each.addresses, each.interface, path + ".addresses");
  }
  if (!cluster.management) return;
  interfaces.add(cluster.management->interface, "management.interface");
  add(cluster.management->addresses, "", "management.addresses");
}

void check_logical_systems(Context& context, const ClusterFile& cluster) {
  Unique names(context), vrfs(context), zones(context), interfaces(context);
  for (std::size_t i = 0; i < cluster.logical_systems.size(); ++i) {
    const LogicalSystem& system = cluster.logical_systems[i];
    const std::string path = indexed("logical_systems", i);
    names.add(system.name, path + ".name");
    vrfs.add(system.vrf, path + ".vrf");
    if (system.conntrack_zone)
      zones.add(std::to_string(*system.conntrack_zone), path + ".conntrack_zone");
    interfaces.add_all(system.interfaces, path + ".interfaces");
    const auto& synchronised = cluster.config_sync.paths;
    for (std::size_t j = 0; j < system.config_paths.size(); ++j)
      if (std::ranges::find(synchronised, system.config_paths[j]) == synchronised.end()) {
        const std::string at = indexed(path + ".config_paths", j);
        context.report(context.line_of(at), at, system.config_paths[j],
                       "a path that stands in config_sync.paths");
      }
  }
}

void fill_monitor(Context& context, ClusterFile& cluster) {
  std::vector<std::string>& names = cluster.monitor.interfaces;
  if (context.given("monitor.interfaces")) return;
  auto add = [&](const std::string& name) {
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(name);
  };
  for (const RedundantInterface& each : cluster.redundant_interfaces) add(each.interface);
  for (const std::string& name : logical_system_interfaces(cluster)) add(name);
}

void check_monitor(Context& context, const ClusterFile& cluster,
                   const std::set<std::string>& known) {
  const Monitor& monitor = cluster.monitor;
  Unique(context).add_all(monitor.interfaces, "monitor.interfaces");
  Unique(context).add_all(monitor.lags, "monitor.lags");
  check_references(context, monitor.lags, "monitor.lags",
                   {monitor.interfaces.begin(), monitor.interfaces.end()}, "monitor.interfaces");
  if (monitor.interfaces.size() > kMaxInterfaces)
    context.report(context.line_of("monitor"), "monitor.interfaces",
                   std::to_string(monitor.interfaces.size()) + " interfaces",
                   "at most 64 interfaces of redundant_interfaces and logical_systems");
  for (std::size_t i = 0; i < monitor.remote.size(); ++i) {
    const std::string path = indexed("monitor.remote", i) + ".interface";
    const std::string& name = monitor.remote[i].interface;
    if (name.empty() || known.contains(name)) continue;
    const std::string guess = nearest(name, {known.begin(), known.end()});
    context.report(context.line_of(path), path, name,
                   "an interface named in redundant_interfaces, monitor, management or "
                   "logical_systems" +
                       (guess.empty() ? std::string() : "; did you mean " + guess + "?"));
  }
}

void check_modules(Context& context, const ClusterFile& cluster,
                   const std::set<std::string>& known) {
  Unique slots(context);
  for (std::size_t i = 0; i < cluster.modules.size(); ++i) {
    const Module& module = cluster.modules[i];
    const std::string path = indexed("modules", i);
    if (module.slot != 0) slots.add(std::to_string(module.slot), path + ".slot");
    Unique(context).add_all(module.interfaces, path + ".interfaces");
    check_references(context, module.interfaces, path + ".interfaces", known,
                     "redundant_interfaces, monitor, management or logical_systems");
  }
}

void check_synchronisation(Context& context, const ClusterFile& cluster) {
  const ConfigSync& sync = cluster.config_sync;
  Unique(context).add_all(sync.paths, "config_sync.paths");
  Unique(context).add_all(sync.nft_sets, "config_sync.nft_sets");
  for (std::size_t i = 0; i < sync.paths.size(); ++i) {
    const std::string path = indexed("config_sync.paths", i);
    if (sync.paths[i].ends_with("/node.yaml"))
      context.report(context.line_of(path), path, sync.paths[i],
                     "any file but node.yaml, which is each box's own");
    if (sync.paths[i] == cluster.password_file)
      context.report(context.line_of(path), path, sync.paths[i],
                     "any file but the password_file, which never travels");
  }
  const auto check_keys = [&](const auto& commands, const std::string& key) {
    for (const auto& [file, command] : commands) {
      if (std::find(sync.paths.begin(), sync.paths.end(), file) != sync.paths.end()) continue;
      const std::string path = key + "." + file;
      context.report(context.line_of(path), path, file, "a path that stands in config_sync.paths");
    }
  };
  for (std::size_t i = 0; i < sync.substitute.size(); ++i) {
    const std::string& file = sync.substitute[i];
    if (std::find(sync.paths.begin(), sync.paths.end(), file) != sync.paths.end()) continue;
    const std::string path = indexed("config_sync.substitute", i);
    context.report(context.line_of(path), path, file, "a path that stands in config_sync.paths");
  }
  for (const char* key : {"config_sync.nft_ruleset", "config_sync.nft_sets"})
    if (!cluster.cluster_network.enabled && context.given(key) &&
        (sync.nft_ruleset || !sync.nft_sets.empty()))
      context.report(context.line_of(key), key, "cluster_network.enabled: false",
                     "the cluster network, over which they travel");
  check_keys(sync.check, "config_sync.check");
  check_keys(sync.apply, "config_sync.apply");
  Unique(context).add_all(cluster.route_sync.protocols, "route_sync.protocols");
  Unique(context).add_all(cluster.route_sync.tables, "route_sync.tables");
  if (cluster.route_sync.enabled && cluster.route_sync.protocols.empty() &&
      !context.given("route_sync.protocols"))
    context.report(context.line_of("route_sync.enabled"), "route_sync.protocols", "",
                   "the protocols whose routes are kept, e.g. [bgp, ospf, static]");
}

// port x 100 + 20 for the second chassis + slot must be a port too.
void check_management_ports(Context& context, const ClusterFile& cluster) {
  constexpr int kLastPort = 65535, kFactor = 100, kSecondChassis = 20;
  if (!cluster.management) return;
  const Management& management = *cluster.management;
  const int highest = (kLastPort - kSecondChassis - management.slot) / kFactor;
  Unique ports(context);
  for (std::size_t i = 0; i < management.ports.size(); ++i) {
    const std::string path = indexed("management.ports", i);
    ports.add(std::to_string(management.ports[i]), path);
    if (management.ports[i] <= highest) continue;
    context.report(context.line_of(path), path, std::to_string(management.ports[i]),
                   "at most " + std::to_string(highest) +
                       ": the nodes are reached at port x 100 + slot and 20 above, and there is no "
                       "port above 65535");
  }
}

std::set<std::string> known_interfaces(const ClusterFile& cluster) {
  std::set<std::string> known = logical_system_interfaces(cluster);
  for (const RedundantInterface& each : cluster.redundant_interfaces) known.insert(each.interface);
  known.insert(cluster.monitor.interfaces.begin(), cluster.monitor.interfaces.end());
  if (cluster.management) known.insert(cluster.management->interface);
  known.erase("");
  return known;
}

// A wrong guess here would tag data frames away or take heartbeats for data: it must be said.
void check_heartbeat_devices(Context& context, const NodeFile& node,
                             const std::set<std::string>& names) {
  for (std::size_t i = 0; i < node.heartbeat_interfaces.size(); ++i) {
    const std::string path = indexed("heartbeat_interfaces", i);
    const std::string& device = node.heartbeat_interfaces[i].interface;
    if (device.empty() || context.given(path + ".vlan")) continue;
    for (const std::string& name : names)
      if (node.device(name) == device)
        context.report(context.line_of(path + ".interface"), path + ".interface", device,
                       "a device that is not also the data interface " + name +
                           ", or a vlan of its own beside it");
  }
}

void check_module_overrides(Context& context, const NodeFile& node, const ClusterFile& cluster) {
  for (const auto& [slot, override_] : node.modules) {
    const std::string path = "modules." + std::to_string(slot);
    const auto module = std::find_if(cluster.modules.begin(), cluster.modules.end(),
                                     [slot = slot](const Module& m) { return m.slot == slot; });
    if (module == cluster.modules.end())
      context.report(context.line_of(path), path, "slot " + std::to_string(slot),
                     "a slot of cluster.yaml's modules");
    else if (override_.priority && module->kind == Module::Kind::worker)
      context.report(context.line_of(path + ".priority"), path + ".priority",
                     std::to_string(*override_.priority), "only for a module of kind interface");
  }
}

// Unicast, and good without a device beside it.
bool names_one_station(const sys::IpAddress& address) {
  if (address == sys::IpAddress{address.ipv6, {}}) return false;
  if (!address.ipv6) return address.bytes[0] < 224 && address.bytes[0] != 127;
  const bool link_local = address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0) == 0x80;
  return address.bytes[0] != 0xff && !link_local && address != *sys::parse_ip("::1");
}

void check_management_path(Context& context, const ManagementPath& path) {
  const auto local = sys::parse_ip(path.local), peer = sys::parse_ip(path.peer);
  const auto refuse = [&](const char* key, const std::string& found, const std::string& allowed) {
    const std::string where = std::string("management_path.") + key;
    context.report(context.line_of(where), where, found, allowed);
  };
  constexpr const char* kStation =
      "one station's address that needs no device beside it (not link-local, loopback or "
      "multicast)";
  if (local && !names_one_station(*local)) refuse("local", path.local, kStation);
  if (peer && !names_one_station(*peer)) refuse("peer", path.peer, kStation);
  if (!local || !peer) return;
  if (local->ipv6 != peer->ipv6)
    refuse("peer", path.peer,
           std::string("an ") + (local->ipv6 ? "IPv6" : "IPv4") + " address, as local is");
  if (*local == *peer) refuse("peer", path.peer, "the other node's address; this one is local");
}

// It must tell the two nodes apart, whoever is primary.
void check_management_addresses(Context& context, const ManagementPath& path,
                                const ClusterFile& cluster) {
  const auto check = [&](const std::vector<AddressPrefix>& floating) {
    for (const AddressPrefix& each : floating) {
      const std::string text = sys::to_text(sys::IpAddress{each.ipv6, each.address});
      for (const auto& [key, value] : {std::pair("local", path.local), {"peer", path.peer}})
        if (value == text) {
          const std::string where = std::string("management_path.") + key;
          context.report(context.line_of(where), where, value,
                         "an address of the node's own; this one follows the primary");
        }
    }
  };
  for (const RedundantInterface& each : cluster.redundant_interfaces) check(each.addresses);
  if (cluster.management) check(cluster.management->addresses);
}

// Every packet walks a chain as long as there are sessions to a bucket.
void check_conntrack_size(Context& context, const ConntrackSize& size) {
  constexpr std::uint32_t kLongestChain = 8;
  if (size.max == 0 || size.buckets == 0 || size.buckets >= size.max / kLongestChain) return;
  const std::string path = "session_sync.conntrack.buckets";
  context.report(context.line_of(path), path, std::to_string(size.buckets),
                 "at least " + std::to_string(size.max / kLongestChain) +
                     ", an eighth of session_sync.conntrack.max; one for each session is best");
}

void check_listeners(Context& context, const NodeFile& node) {
  if (!node.web || node.web->listen.empty()) return;
  if (node.web->token_file.empty() && !node.web->listen.starts_with('/'))
    context.report(context.line_of("web"), "web.token_file", "nothing",
                   "a file with a token, as anybody can try to reach an IP address");
  if (node.metrics && node.metrics->listen == node.web->listen)
    context.report(context.line_of("web.listen"), "web.listen", node.web->listen,
                   "another address than metrics.listen");
}

}  // namespace

void check_node(Context& context, const NodeFile& node) {
  Unique heartbeats(context), devices(context), lcores(context), mapped(context);
  for (std::size_t i = 0; i < node.heartbeat_interfaces.size(); ++i) {
    const HeartbeatInterface& each = node.heartbeat_interfaces[i];
    if (each.interface.empty()) continue;
    const std::string shown = each.interface + " with vlan " + std::to_string(each.vlan);
    heartbeats.add(shown, indexed("heartbeat_interfaces", i) + ".interface", shown);
  }
  check_conntrack_size(context, node.session_sync.conntrack);
  devices.add_all(node.session_sync.devices, "session_sync.devices");
  for (std::size_t i = 0; i < node.session_sync.lcores.size(); ++i)
    lcores.add(std::to_string(node.session_sync.lcores[i]), indexed("session_sync.lcores", i));
  for (const auto& [name, device] : node.interfaces) mapped.add(device, "interfaces." + name);
  if (node.management_path) check_management_path(context, *node.management_path);
  check_listeners(context, node);
}

void check_cluster(Context& context, ClusterFile& cluster) {
  fill_monitor(context, cluster);
  check_election(context, cluster.election);
  const std::set<std::string> known = known_interfaces(cluster);
  check_addresses(context, cluster);
  check_logical_systems(context, cluster);
  check_monitor(context, cluster, known);
  check_modules(context, cluster, known);
  check_synchronisation(context, cluster);
  check_management_ports(context, cluster);
  order_remote_monitors(context, cluster.monitor.remote);
}

void check_together(Context& node_context, const NodeFile& node, Context& cluster_context,
                    const ClusterFile& cluster) {
  const std::set<std::string> known = known_interfaces(cluster);
  check_heartbeat_devices(node_context, node, known);
  check_module_overrides(node_context, node, cluster);
  if (node.management_path)
    check_management_addresses(node_context, *node.management_path, cluster);
  for (const std::string& name : known)
    if (node.device(name).size() > kLongestDevice)
      cluster_context.report(0, name, "a name of " + std::to_string(name.size()) + " bytes",
                             "at most 15 bytes, or a device for it under interfaces in node.yaml");
  std::vector<std::string> names(known.begin(), known.end());
  for (const auto& [name, device] : node.interfaces)
    if (!known.contains(name)) {
      const std::string guess = nearest(name, names);
      node_context.report(node_context.line_of("interfaces." + name), "interfaces." + name, name,
                          "an interface of cluster.yaml" +
                              (guess.empty() ? std::string() : "; did you mean " + guess + "?"));
    }
}

}  // namespace hotpair::config
