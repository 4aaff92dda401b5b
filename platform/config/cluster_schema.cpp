// The pair's identity, the heartbeat, the election, sessions and addresses.
#include "platform/config/schema.hpp"
#include "platform/config/values.hpp"

namespace hotpair::config {
namespace {

constexpr std::size_t kMaxAddresses = 256;  // of one interface
constexpr std::size_t kMaxExcluded = 1024;
constexpr std::size_t kMaxRemote = 32;

template <typename T>
Codec<std::vector<T>> set_of(Codec<T> codec, std::size_t at_least, std::size_t at_most,
                             const std::string& what) {
  return list_of(codec, at_least, at_most, Order::does_not, what);
}

Codec<RemoteMonitor> remote_monitor_schema() {
  return object<RemoteMonitor>({
      required(field("address", &RemoteMonitor::address, ip_address())),
      field("interface", &RemoteMonitor::interface, interface_name()),
      field("interval", &RemoteMonitor::interval, duration(10ms, 60s)),
      field("lost", &RemoteMonitor::lost, integer<int>(1, 60)),
      field("weight", &RemoteMonitor::weight, integer<int>(0, 255)),
  });
}

}  // namespace

Codec<Heartbeat> heartbeat_schema() {
  return object<Heartbeat>({
      field("ethertype", &Heartbeat::ethertype, ethertype()),
      field("interval", &Heartbeat::interval, duration(1ms, 10s)),
      field("lost_threshold", &Heartbeat::lost_threshold, integer<int>(2, 60)),
      field("hello_holddown", &Heartbeat::hello_holddown, duration(0s, 300s)),
  });
}

Codec<Election> election_schema() {
  const auto split_brain = choice<SplitBrain>({{"takeover", SplitBrain::takeover},
                                               {"stay", SplitBrain::stay},
                                               {"witness", SplitBrain::witness}});
  return object<Election>({
      field("override", &Election::override_, boolean()),
      field("uptime_margin", &Election::uptime_margin, duration(0s, 65535s)),
      field("link_failure_threshold", &Election::link_failure_threshold, integer<int>(0, 80)),
      field("board_failover_tolerance", &Election::board_failover_tolerance, integer<int>(0, 12)),
      field("hold", &Election::hold, duration(0s, 3600s)),
      field("split_brain", &Election::split_brain, split_brain),
      field("witness", &Election::witness, ip_address()),
      field("sync_timeout", &Election::sync_timeout, duration(1s, 3600s)),
      field("flap_backoff", &Election::flap_backoff, duration(0s, 60s)),
      field("flap_backoff_max", &Election::flap_backoff_max, duration(1s, 3600s)),
  });
}

Codec<SessionPickup> session_pickup_schema() {
  const auto from =
      choice<PickupFrom>({{"new", PickupFrom::first_packet}, {"assured", PickupFrom::assured}});
  return object<SessionPickup>({
      field("enabled", &SessionPickup::enabled, boolean()),
      field("from", &SessionPickup::from, from),
      field("delay", &SessionPickup::delay, duration(0s, 3600s)),
      field("udp", &SessionPickup::udp, boolean()),
      field("icmp", &SessionPickup::icmp, boolean()),
      field("sctp", &SessionPickup::sctp, boolean()),
      field("expectations", &SessionPickup::expectations, boolean()),
      field("exclude", &SessionPickup::exclude, set_of(subnet(), 0, kMaxExcluded, "networks")),
  });
}

Codec<RedundantInterface> redundant_interface_schema() {
  return object<RedundantInterface>({
      required(field("interface", &RedundantInterface::interface, interface_name())),
      required(field("addresses", &RedundantInterface::addresses,
                     set_of(interface_address(), 1, kMaxAddresses, "addresses"))),
      field("virtual_mac", &RedundantInterface::virtual_mac, boolean()),
  });
}

Codec<Monitor> monitor_schema() {
  const auto names = set_of(interface_name(), 0, kMaxInterfaces, "names of interfaces");
  // An empty list of LAGs and none at all are different wishes.
  Field<Monitor> lags = field("lags", &Monitor::lags, names);
  lags.read = [inner = lags.read](const Input& in, Monitor& out) {
    out.lags_given = true;
    inner(in, out);
  };
  lags.show = [inner = lags.show](const Monitor& m) {
    return m.lags_given ? inner(m) : std::string("-");
  };
  return object<Monitor>({
      field("interfaces", &Monitor::interfaces, names),
      lags,
      field("remote", &Monitor::remote,
            set_of(remote_monitor_schema(), 0, kMaxRemote, "addresses to watch")),
  });
}

Codec<Management> management_schema() {
  return object<Management>({
      required(field("interface", &Management::interface, interface_name())),
      field("addresses", &Management::addresses,
            set_of(interface_address(), 0, kMaxAddresses, "addresses")),
      field("ports", &Management::ports,
            set_of(integer<std::uint16_t>(1, 65535), 0, 1024, "ports")),
      field("slot", &Management::slot, integer<int>(1, 19)),
  });
}

Codec<ClusterFile> cluster_schema() {
  const auto redundant =
      set_of(redundant_interface_schema(), 0, kMaxInterfaces, "redundant interfaces");
  const auto systems = set_of(logical_system_schema(), 0, kMaxInterfaces, "logical systems");
  const auto modules = set_of(module_schema(), 0, kMaxSlot, "modules");
  return object<ClusterFile>({
      required(field("group_id", &ClusterFile::group_id, integer<int>(0, 1023))),
      field("group_name", &ClusterFile::group_name, label(0, 32)),
      field("password_file", &ClusterFile::password_file, absolute_path()),
      field("heartbeat", &ClusterFile::heartbeat, heartbeat_schema()),
      field("election", &ClusterFile::election, election_schema()),
      field("session_pickup", &ClusterFile::session_pickup, session_pickup_schema()),
      field("redundant_interfaces", &ClusterFile::redundant_interfaces, redundant),
      field("monitor", &ClusterFile::monitor, monitor_schema()),
      field("management", &ClusterFile::management, management_schema()),
      field("modules", &ClusterFile::modules, modules),
      field("logical_systems", &ClusterFile::logical_systems, systems),
      field("cluster_network", &ClusterFile::cluster_network, cluster_network_schema()),
      field("config_sync", &ClusterFile::config_sync, config_sync_schema()),
      field("route_sync", &ClusterFile::route_sync, route_sync_schema()),
      field("takeover", &ClusterFile::takeover, takeover_schema()),
      field("events", &ClusterFile::events, events_schema()),
  });
}

}  // namespace hotpair::config
