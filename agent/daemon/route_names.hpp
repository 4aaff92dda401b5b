// Devices, VRFs and tables by the names that both nodes know them by, and back. Which routes and
// neighbours of this box belong to the sync follows from the configuration and from them.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/core/route_entry.hpp"
#include "agent/daemon/node_config.hpp"
#include "platform/linux/netlink_link.hpp"
#include "platform/linux/netlink_route.hpp"

namespace hotpair::daemon {

// What the configuration says of it.
struct RouteRules {
  std::set<std::uint8_t> protocols;
  std::set<std::string> tables;                // main, default, numbers, names of VRFs
  std::map<std::string, std::string> devices;  // the cluster's name -> this box's device
  std::set<std::string> data_devices;          // of this box: whose neighbours travel
  std::set<std::string> private_devices;       // of this box: nothing over them travels
};
RouteRules make_route_rules(const config::Config& config, const NodePlan& plan);

class RouteNames {
 public:
  RouteNames() = default;
  RouteNames(const RouteRules& rules, const std::vector<sys::LinkInfo>& links);

  bool takes(std::uint8_t protocol, std::uint32_t table) const {
    return protocols_.contains(protocol) && tables_.contains(table);
  }
  bool takes_neighbours_of(int ifindex) const { return data_.contains(ifindex); }

  // As the peer understands it; none: something of it has no name there, or stays here.
  std::optional<agent::Route> shared(const sys::KernelRoute& route) const;
  std::optional<agent::RouteNeighbour> shared(const sys::KernelNeighbour& neighbour) const;

  // For this box's kernel; none: a device or VRF is missing or down. Gateways are reached on the
  // link whatever addresses are here: on a backup there are none.
  std::optional<sys::KernelRoute> local(const agent::Route& route) const;
  std::optional<sys::KernelNeighbour> local(const agent::RouteNeighbour& neighbour) const;
  // The table of a route that is to be removed; it needs no device.
  std::optional<std::uint32_t> table_of(const agent::Route& route) const;

 private:
  std::string name_of(int ifindex) const;
  std::optional<int> usable_device(const std::string& name) const;

  std::set<std::uint8_t> protocols_;
  std::set<std::uint32_t> tables_;
  std::set<int> data_;
  std::map<int, std::string> names_;                   // of what may travel
  std::map<std::string, std::pair<int, bool>> links_;  // by shared name: ifindex, up
  std::map<std::uint32_t, std::string> vrfs_;          // by table
  std::map<std::string, std::uint32_t> vrf_tables_;    // by shared name
};

}  // namespace hotpair::daemon
