// The kernel's routing tables and neighbours: read whole, changed in batches, watched. Sources:
// rtnetlink(7), linux/rtnetlink.h, linux/neighbour.h. Each belongs to one thread and to the network
// namespace it was opened in.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "platform/linux/ip_address.hpp"
#include "platform/linux/netlink_socket.hpp"

namespace hotpair::sys {

struct KernelHop {
  int ifindex = 0;
  std::optional<IpAddress> gateway;
  std::uint8_t weight = 0;  // 0: one share
  bool onlink = false;      // the gateway is on the link whatever addresses are here
};

struct KernelMetric {
  std::uint8_t kind = 0;  // RTAX_*
  std::uint32_t value = 0;
};

struct KernelRoute {
  IpPrefix prefix;
  std::uint32_t table = 254;
  std::uint32_t priority = 0;  // IPv6 makes 1024 of 0
  std::uint8_t tos = 0, type = 1, scope = 0, protocol = 0;
  std::vector<KernelHop> hops;
  std::vector<KernelMetric> metrics;
};

struct KernelNeighbour {
  int ifindex = 0;
  IpAddress address;
  MacAddress mac{};
  std::uint8_t protocol = 0;  // who made it; 0: the kernel
  std::uint16_t state = 0;    // NUD_*
  bool usable() const;        // its MAC address is known
  bool confirmed() const;     // or being confirmed: it is of the kernel's own knowledge
};

struct RouteChange {
  enum class What : std::uint8_t { add, remove } what = What::add;
  std::variant<KernelRoute, KernelNeighbour> item;
};

// Why a route that the kernel lists is not among those read.
struct RoutesLeftOut {
  std::uint64_t encapsulated = 0;  // MPLS, SRv6, tunnel headers
  std::uint64_t by_source = 0;     // source-specific
  std::uint64_t not_spelled = 0;   // only the number of a nexthop object was told
  std::uint64_t malformed = 0;
  std::uint64_t total() const { return encapsulated + by_source + not_spelled + malformed; }
};

class RouteTables {
 public:
  static Result<RouteTables> open();

  // Visits every route of both families that `wanted` takes by protocol and table, in the kernel's
  // order. Local, broadcast and multicast ones and copies that the kernel cached are not listed.
  // When the kernel's tables changed meanwhile it may begin anew, and then visits some again. None
  // is kept: of a full table they would take a hundred megabytes, all of it locked memory.
  using Wanted = std::function<bool(std::uint8_t protocol, std::uint32_t table)>;
  Status read_routes(const Wanted& wanted, const std::function<void(KernelRoute&&)>& visit,
                     RoutesLeftOut& left_out);
  Status read_neighbours(std::vector<KernelNeighbour>& neighbours);

  // In the order given, in batches between which others may have the kernel's lock. An error number
  // for each, 0 when it is done. Adding never replaces: EEXIST when there is one with that prefix,
  // table, tos and priority. Removing takes only one of the same protocol.
  std::vector<int> apply(std::span<const RouteChange> changes);

 private:
  explicit RouteTables(NetlinkSocket socket) : socket_(std::move(socket)) {}
  // How many of them it did; 0: the kernel does not answer.
  std::size_t send_batch(std::span<const RouteChange> changes, std::span<int> results);
  bool collect(std::uint32_t first, std::uint32_t last, std::span<int> results);
  NetlinkSocket socket_;
};

// Whether something changed, never what: an overrun is as good as an event.
class RouteWatch {
 public:
  // Routes and devices, or neighbours alone.
  enum class Of : std::uint8_t { routes, neighbours };
  static Result<RouteWatch> open(Of what);
  int fd() const { return socket_.fd(); }
  bool drain();  // whether anything was heard

 private:
  explicit RouteWatch(NetlinkSocket socket) : socket_(std::move(socket)) {}
  NetlinkSocket socket_;
};

}  // namespace hotpair::sys
