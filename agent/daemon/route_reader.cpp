#include "agent/daemon/route_reader.hpp"

namespace hotpair::daemon {

agent::RouteOffer OwnRoutes::offer() const {
  const std::uint32_t buckets = agent::route_buckets_for(size());
  agent::RouteOffer offer{static_cast<std::uint32_t>(size()), routes.digests(buckets)};
  const auto more = neighbours.digests(buckets);
  for (std::size_t i = 0; i < more.size(); ++i) offer.digests[i] += more[i];
  return offer;
}

Result<RouteNames> read_names(const RouteRules& rules) {
  const auto links = sys::LinkMonitor::open();
  if (!links) return fail(links.error());
  return RouteNames(rules, (*links)->all());
}

Status read_own_routes(sys::RouteTables& kernel, const RouteNames& names, OwnRoutes& own) {
  agent::RouteTable found;
  sys::RoutesLeftOut left_out;
  std::uint64_t nameless = 0;
  const auto wanted = [&](std::uint8_t protocol, std::uint32_t table) {
    return names.takes(protocol, table);
  };
  const auto visit = [&](const sys::KernelRoute& route) {
    const auto shared = names.shared(route);
    if (shared && found.size() < agent::kMaxRouteEntries)
      found.add(agent::encode(*shared));
    else
      ++nameless;
  };
  if (Status read = kernel.read_routes(wanted, visit, left_out); !read) return read;
  own.routes = std::move(found);
  own.left_out = left_out;
  own.nameless = nameless;
  return Ok{};
}

Status read_own_neighbours(sys::RouteTables& kernel, const RouteNames& names, OwnRoutes& own) {
  std::vector<sys::KernelNeighbour> found;
  if (Status read = kernel.read_neighbours(found); !read) return read;
  own.neighbours.clear();
  for (const auto& neighbour : found)
    if (const auto shared = names.shared(neighbour)) own.neighbours.add(agent::encode(*shared));
  return Ok{};
}

}  // namespace hotpair::daemon
