#include "agent/core/route_entry.hpp"

#include "platform/base/bytes.hpp"

namespace hotpair::agent {
namespace {

constexpr std::uint8_t kRouteKind = 1, kNeighbourKind = 2;
constexpr std::uint8_t kIpv6 = 1, kInVrf = 2;                             // of a key
constexpr std::uint8_t kHasGateway = 1, kGatewayIpv6 = 2, kIsOnlink = 4;  // of a hop
constexpr std::uint8_t kIpv4Bits = 32, kIpv6Bits = 128;

class Writer {
 public:
  void u8(std::size_t v) { out_.push_back(static_cast<char>(v)); }
  void u32(std::uint32_t v) {
    std::array<std::uint8_t, 4> bytes{};
    store_be(bytes.data(), v);
    put(bytes.data(), bytes.size());
  }
  void put(const std::uint8_t* data, std::size_t count) {
    out_.append(reinterpret_cast<const char*>(data), count);
  }
  void name(const std::string& text) {
    u8(text.size());
    out_ += text;
  }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

Bytes bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string key_of(const Route& route) {
  Writer out;
  out.u8(kRouteKind);
  out.u8((route.prefix.ipv6 ? kIpv6 : 0) | (route.vrf.empty() ? 0 : kInVrf));
  out.u8(route.length);
  out.put(route.prefix.bytes.data(), (route.length + 7u) / 8u);
  out.u8(route.tos);
  out.u32(route.priority);
  if (route.vrf.empty())
    out.u32(route.table);
  else
    out.name(route.vrf);
  return out.take();
}

std::string value_of(const Route& route) {
  Writer out;
  out.u8(static_cast<std::uint8_t>(route.type));
  out.u8(route.scope);
  out.u8(route.hops.size());
  for (const RouteHop& hop : route.hops) {
    out.u8((hop.gateway ? kHasGateway : 0) | (hop.gateway && hop.gateway->ipv6 ? kGatewayIpv6 : 0) |
           (hop.onlink ? kIsOnlink : 0));
    out.u8(hop.weight);
    out.name(hop.device);
    if (hop.gateway) out.put(hop.gateway->bytes.data(), hop.gateway->size());
  }
  out.u8(route.metrics.size());
  for (const RouteMetric& metric : route.metrics) {
    out.u8(metric.kind);
    out.u32(metric.value);
  }
  return out.take();
}

RouteEntry encode_neighbour(const RouteNeighbour& neighbour) {
  Writer key, value;
  key.u8(kNeighbourKind);
  key.u8(neighbour.address.ipv6 ? kIpv6 : 0);
  key.put(neighbour.address.bytes.data(), neighbour.address.size());
  key.name(neighbour.device);
  value.put(neighbour.mac.data(), neighbour.mac.size());
  return {key.take(), value.take()};
}

// Reads on after a failure, harmlessly; failed() is asked once at the end.
class Reader {
 public:
  explicit Reader(const std::string& text) : in_(bytes_of(text)) {}
  std::uint8_t u8() { return in_.u8(); }
  std::uint32_t u32() { return in_.u32(); }
  std::string name() {
    const std::size_t size = in_.u8();
    require(size > 0 && size <= kMaxRouteName);
    const Bytes taken = in_.take(size);
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }
  void address(RouteAddress& out, std::size_t count) {
    const Bytes taken = in_.take(count);
    std::copy(taken.begin(), taken.end(), out.bytes.begin());
  }
  void require(bool condition) { bad_ = bad_ || !condition; }
  bool failed() const { return bad_ || in_.failed(); }
  bool whole() const { return !failed() && in_.remaining() == 0; }

 private:
  ByteReader in_;
  bool bad_ = false;
};

RouteHop read_hop(Reader& in) {
  RouteHop hop;
  const std::uint8_t flags = in.u8();
  in.require((flags & ~(kHasGateway | kGatewayIpv6 | kIsOnlink)) == 0);
  hop.onlink = (flags & kIsOnlink) != 0;
  hop.weight = in.u8();
  hop.device = in.name();
  if ((flags & kHasGateway) == 0) return hop;
  hop.gateway.emplace();
  hop.gateway->ipv6 = (flags & kGatewayIpv6) != 0;
  in.address(*hop.gateway, hop.gateway->size());
  return hop;
}

bool is_route_type(std::uint8_t type) {
  return type == static_cast<std::uint8_t>(RouteType::unicast) ||
         (type >= static_cast<std::uint8_t>(RouteType::blackhole) &&
          type <= static_cast<std::uint8_t>(RouteType::throw_));
}

void read_key(Reader& in, Route& route) {
  const std::uint8_t flags = in.u8();
  in.require((flags & ~(kIpv6 | kInVrf)) == 0);
  route.prefix.ipv6 = (flags & kIpv6) != 0;
  route.length = in.u8();
  in.require(route.length <= (route.prefix.ipv6 ? kIpv6Bits : kIpv4Bits));
  if (in.failed()) return;
  in.address(route.prefix, (route.length + 7u) / 8u);
  route.tos = in.u8();
  route.priority = in.u32();
  if ((flags & kInVrf) != 0)
    route.vrf = in.name();
  else
    route.table = in.u32();
}

void read_value(Reader& in, Route& route) {
  const std::uint8_t type = in.u8();
  in.require(is_route_type(type));
  route.type = static_cast<RouteType>(type);
  route.scope = in.u8();
  const std::size_t hops = in.u8();
  in.require(hops <= kMaxRouteHops && (hops > 0) == (route.type == RouteType::unicast));
  for (std::size_t i = 0; i < hops && !in.failed(); ++i) route.hops.push_back(read_hop(in));
  const std::size_t metrics = in.u8();
  in.require(metrics <= kMaxRouteMetrics);
  for (std::size_t i = 0; i < metrics && !in.failed(); ++i) {
    const std::uint8_t kind = in.u8();
    route.metrics.push_back({kind, in.u32()});
  }
}

std::optional<RouteItem> decode_neighbour(Reader& key, const std::string& text) {
  RouteNeighbour neighbour;
  const std::uint8_t flags = key.u8();
  key.require((flags & ~kIpv6) == 0);
  neighbour.address.ipv6 = (flags & kIpv6) != 0;
  key.address(neighbour.address, neighbour.address.size());
  neighbour.device = key.name();
  if (!key.whole() || text.size() != neighbour.mac.size()) return std::nullopt;
  std::copy(text.begin(), text.end(), neighbour.mac.begin());
  return neighbour;
}

}  // namespace

bool is_neighbour_key(const std::string& key) {
  return !key.empty() && static_cast<std::uint8_t>(key[0]) == kNeighbourKind;
}

RouteEntry encode(const RouteItem& item) {
  if (const auto* route = std::get_if<Route>(&item)) return {key_of(*route), value_of(*route)};
  return encode_neighbour(std::get<RouteNeighbour>(item));
}

std::optional<RouteItem> decode(const RouteEntry& entry) {
  Reader key(entry.key), value(entry.value);
  const std::uint8_t kind = key.u8();
  if (kind == kNeighbourKind) return decode_neighbour(key, entry.value);
  if (kind != kRouteKind) return std::nullopt;
  Route route;
  read_key(key, route);
  if (!key.whole()) return std::nullopt;
  read_value(value, route);
  // Host bits that are set would make two spellings of one prefix.
  const std::size_t used = route.length / 8u;
  const unsigned spare = route.length % 8u;
  if (spare != 0 && (route.prefix.bytes[used] & (0xffu >> spare)) != 0) return std::nullopt;
  if (!value.whole()) return std::nullopt;
  return route;
}

}  // namespace hotpair::agent
