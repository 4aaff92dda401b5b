// The two files' schemas, and the checks that need more than one key. Internal to platform/config.
#pragma once

#include "platform/config/codec.hpp"

namespace hotpair::config {

Codec<NodeFile> node_schema();
Codec<ClusterFile> cluster_schema();

// By topic; cluster_schema() puts them together.
Codec<Heartbeat> heartbeat_schema();
Codec<Election> election_schema();
Codec<SessionPickup> session_pickup_schema();
Codec<RedundantInterface> redundant_interface_schema();
Codec<Monitor> monitor_schema();
Codec<Management> management_schema();
Codec<Module> module_schema();
Codec<LogicalSystem> logical_system_schema();
Codec<ClusterNetwork> cluster_network_schema();
Codec<ConfigSync> config_sync_schema();
Codec<RouteSync> route_sync_schema();
Codec<Takeover> takeover_schema();
Codec<Events> events_schema();

constexpr std::size_t kMaxInterfaces = 64;  // data interfaces of a node
constexpr int kMaxSlot = 63;

// What lies between the keys of one file, and between the two files. Values that were refused
// already stand there as empty or zero, and are passed over. check_cluster also fills the defaults
// that depend on other keys.
void check_node(Context& context, const NodeFile& node);
void check_cluster(Context& context, ClusterFile& cluster);
void check_together(Context& node_context, const NodeFile& node, Context& cluster_context,
                    const ClusterFile& cluster);
// Parts of check_cluster.
void check_election(Context& context, const Election& election);
void order_remote_monitors(Context& context, std::vector<RemoteMonitor>& monitors);

}  // namespace hotpair::config
