// This box's routes and neighbours as the tables that are offered to the peer.
#pragma once

#include "agent/core/route_wire.hpp"
#include "agent/daemon/route_names.hpp"

namespace hotpair::daemon {

struct OwnRoutes {
  agent::RouteTable routes, neighbours;
  sys::RoutesLeftOut left_out;
  std::uint64_t nameless = 0;  // over a device that has no name at the peer

  std::size_t size() const { return routes.size() + neighbours.size(); }
  agent::RouteOffer offer() const;
};

// The names of now; reads the kernel's devices.
Result<RouteNames> read_names(const RouteRules& rules);

Status read_own_routes(sys::RouteTables& kernel, const RouteNames& names, OwnRoutes& own);
Status read_own_neighbours(sys::RouteTables& kernel, const RouteNames& names, OwnRoutes& own);

}  // namespace hotpair::daemon
