// What route sync carries: routes and neighbours, each as a key and a value of bytes. The bytes are
// canonical, one spelling a meaning, so that tables are compared, digested and sent without being
// understood (WIRE.md, route sync). Devices and VRFs are named as the cluster names them: numbers
// of devices, and often of tables, differ between two boxes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace hotpair::agent {

// Network byte order; IPv4 in the first four bytes, the rest zero.
struct RouteAddress {
  bool ipv6 = false;
  std::array<std::uint8_t, 16> bytes{};
  std::size_t size() const { return ipv6 ? 16 : 4; }
  friend bool operator==(const RouteAddress&, const RouteAddress&) = default;
};

// The kernel's numbers (RTN_*): what becomes of a packet.
enum class RouteType : std::uint8_t {
  unicast = 1,
  blackhole = 6,
  unreachable = 7,
  prohibit = 8,
  throw_ = 9,
};

struct RouteHop {
  std::string device;  // 1-31 bytes
  std::optional<RouteAddress> gateway;
  std::uint8_t weight = 0;  // 0: one share
  bool onlink = false;
  friend bool operator==(const RouteHop&, const RouteHop&) = default;
};

// One of the route's metrics beside the priority, RTAX_*: mtu, advmss, window, ...
struct RouteMetric {
  std::uint8_t kind = 0;
  std::uint32_t value = 0;
  friend bool operator==(const RouteMetric&, const RouteMetric&) = default;
};

constexpr std::size_t kMaxRouteHops = 64;
constexpr std::size_t kMaxRouteMetrics = 17;
constexpr std::size_t kMaxRouteName = 31;

struct Route {
  RouteAddress prefix;      // host bits zero
  std::uint8_t length = 0;  // of the prefix
  std::uint32_t table = 0;  // 0: that of `vrf`
  std::string vrf;
  std::uint8_t tos = 0;
  std::uint32_t priority = 0;
  RouteType type = RouteType::unicast;
  std::uint8_t scope = 0;  // RT_SCOPE_*
  std::vector<RouteHop> hops;
  std::vector<RouteMetric> metrics;
  friend bool operator==(const Route&, const Route&) = default;
};

struct RouteNeighbour {
  std::string device;
  RouteAddress address;
  std::array<std::uint8_t, 6> mac{};
  friend bool operator==(const RouteNeighbour&, const RouteNeighbour&) = default;
};

using RouteItem = std::variant<Route, RouteNeighbour>;

struct RouteEntry {
  std::string key, value;  // bytes
  friend bool operator==(const RouteEntry&, const RouteEntry&) = default;
};

// The item must be within the bounds above.
RouteEntry encode(const RouteItem& item);
// None: malformed, out of bounds, or not the canonical spelling.
std::optional<RouteItem> decode(const RouteEntry& entry);
bool is_neighbour_key(const std::string& key);

}  // namespace hotpair::agent
