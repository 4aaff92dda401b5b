#include "platform/linux/netlink_route_parse.hpp"

#include <algorithm>
#include <cstring>

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <sys/socket.h>

namespace hotpair::sys {
namespace {

using Attributes = nlattr * [RTA_MAX + 1];

// How hops are spelled beside their gateway.
constexpr std::uint8_t kMaxMetric = RTAX_MAX;

bool is_forwarding_type(std::uint8_t type) {
  return type == RTN_UNICAST || (type >= RTN_BLACKHOLE && type <= RTN_THROW);
}

std::uint32_t u32_or(nlattr* attribute, std::uint32_t fallback) {
  return attribute != nullptr && nla_len(attribute) >= 4 ? nla_get_u32(attribute) : fallback;
}

bool read_address(nlattr* attribute, bool ipv6, IpAddress& out) {
  out.ipv6 = ipv6;
  if (attribute == nullptr || nla_len(attribute) != static_cast<int>(out.size())) return false;
  std::memcpy(out.bytes.data(), nla_data(attribute), out.size());
  return true;
}

// RTA_GATEWAY is of the route's family, RTA_VIA says its own.
bool read_gateway(const Attributes& a, bool ipv6, KernelHop& hop) {
  IpAddress gateway;
  if (a[RTA_GATEWAY] != nullptr) {
    if (!read_address(a[RTA_GATEWAY], ipv6, gateway)) return false;
    hop.gateway = gateway;
  } else if (a[RTA_VIA] != nullptr) {
    constexpr int kFamily = sizeof(std::uint16_t);
    std::uint16_t family = 0;
    if (nla_len(a[RTA_VIA]) < kFamily) return false;
    std::memcpy(&family, nla_data(a[RTA_VIA]), kFamily);
    gateway.ipv6 = family == AF_INET6;
    if (nla_len(a[RTA_VIA]) != kFamily + static_cast<int>(gateway.size())) return false;
    std::memcpy(gateway.bytes.data(), static_cast<std::uint8_t*>(nla_data(a[RTA_VIA])) + kFamily,
                gateway.size());
    hop.gateway = gateway;
  }
  return true;
}

// False: malformed, or one with a header of its own.
bool read_hop(const rtnexthop& header, bool ipv6, KernelRoute& route, RoutesLeftOut& left_out) {
  Attributes a{};
  auto* first = reinterpret_cast<nlattr*>(const_cast<rtnexthop*>(&header) + 1);
  const int size = header.rtnh_len - static_cast<int>(sizeof(rtnexthop));
  if (nla_parse(a, RTA_MAX, first, size, nullptr) < 0) return ++left_out.malformed, false;
  if (a[RTA_ENCAP] != nullptr) return ++left_out.encapsulated, false;
  KernelHop hop{
      header.rtnh_ifindex, {}, header.rtnh_hops, (header.rtnh_flags & RTNH_F_ONLINK) != 0};
  if (!read_gateway(a, ipv6, hop)) return ++left_out.malformed, false;
  route.hops.push_back(hop);
  return true;
}

bool read_hops(nlattr* list, bool ipv6, KernelRoute& route, RoutesLeftOut& left_out) {
  auto left = static_cast<std::size_t>(nla_len(list));
  const auto* at = static_cast<const std::uint8_t*>(nla_data(list));
  while (left >= sizeof(rtnexthop)) {
    const auto& header = *reinterpret_cast<const rtnexthop*>(at);
    if (header.rtnh_len < sizeof(rtnexthop) || header.rtnh_len > left)
      return ++left_out.malformed, false;
    if (!read_hop(header, ipv6, route, left_out)) return false;
    const std::size_t step = std::min<std::size_t>(NLMSG_ALIGN(header.rtnh_len), left);
    left -= step;
    at += step;
  }
  return !route.hops.empty();
}

void read_metrics(nlattr* nest, KernelRoute& route) {
  nlattr* each = nullptr;
  int left = 0;
  nla_for_each_nested(each, nest, left) {
    const int kind = nla_type(each);
    // The congestion algorithm is a name, and of this box's own sockets alone.
    if (kind <= 0 || kind > kMaxMetric || kind == RTAX_CC_ALGO || nla_len(each) < 4) continue;
    route.metrics.push_back({static_cast<std::uint8_t>(kind), nla_get_u32(each)});
  }
}

bool read_where(const rtmsg& header, const Attributes& a, KernelRoute& route,
                RoutesLeftOut& left_out) {
  const bool ipv6 = route.prefix.address.ipv6;
  if (a[RTA_ENCAP] != nullptr) return ++left_out.encapsulated, false;
  if (route.type != RTN_UNICAST) return true;
  if (a[RTA_MULTIPATH] != nullptr) return read_hops(a[RTA_MULTIPATH], ipv6, route, left_out);
  KernelHop hop{
      static_cast<int>(u32_or(a[RTA_OIF], 0)), {}, 0, (header.rtm_flags & RTNH_F_ONLINK) != 0};
  if (hop.ifindex == 0) return ++left_out.not_spelled, false;
  if (!read_gateway(a, ipv6, hop)) return ++left_out.malformed, false;
  route.hops.push_back(hop);
  return true;
}

void put_gateway(nl_msg* message, bool ipv6, const IpAddress& gateway) {
  if (gateway.ipv6 == ipv6) {
    nla_put(message, RTA_GATEWAY, static_cast<int>(gateway.size()), gateway.bytes.data());
    return;
  }
  std::uint8_t via[sizeof(std::uint16_t) + 16] = {};
  const std::uint16_t family = static_cast<std::uint16_t>(gateway.ipv6 ? AF_INET6 : AF_INET);
  std::memcpy(via, &family, sizeof family);
  std::memcpy(via + sizeof family, gateway.bytes.data(), gateway.size());
  nla_put(message, RTA_VIA, static_cast<int>(sizeof family + gateway.size()), via);
}

void put_hops(nl_msg* message, const KernelRoute& route) {
  const bool ipv6 = route.prefix.address.ipv6;
  if (route.hops.size() == 1) {
    nla_put_u32(message, RTA_OIF, static_cast<std::uint32_t>(route.hops[0].ifindex));
    if (route.hops[0].gateway) put_gateway(message, ipv6, *route.hops[0].gateway);
    return;
  }
  nlattr* list = nla_nest_start(message, RTA_MULTIPATH);
  for (const KernelHop& hop : route.hops) {
    auto* next = static_cast<rtnexthop*>(nlmsg_reserve(message, sizeof(rtnexthop), NLMSG_ALIGNTO));
    *next = {};
    next->rtnh_hops = hop.weight;
    next->rtnh_flags = hop.onlink ? RTNH_F_ONLINK : 0;
    next->rtnh_ifindex = hop.ifindex;
    const char* begin = reinterpret_cast<const char*>(next);
    if (hop.gateway) put_gateway(message, ipv6, *hop.gateway);
    const char* end = static_cast<const char*>(nlmsg_tail(nlmsg_hdr(message)));
    next->rtnh_len = static_cast<unsigned short>(end - begin);
  }
  nla_nest_end(message, list);
}

NetlinkMessage message_of(const KernelRoute& route, bool add) {
  const bool ipv6 = route.prefix.address.ipv6;
  rtmsg header{};
  header.rtm_family = ipv6 ? AF_INET6 : AF_INET;
  header.rtm_dst_len = route.prefix.length;
  header.rtm_tos = route.tos;
  // A larger number stands in RTA_TABLE alone.
  header.rtm_table = static_cast<std::uint8_t>(route.table < 256 ? route.table : 0u);
  header.rtm_protocol = route.protocol;
  header.rtm_scope = add ? route.scope : static_cast<std::uint8_t>(RT_SCOPE_NOWHERE);
  header.rtm_type = add ? route.type : static_cast<std::uint8_t>(RTN_UNSPEC);
  if (add && route.hops.size() == 1 && route.hops[0].onlink) header.rtm_flags = RTNH_F_ONLINK;
  const Bytes fixed(reinterpret_cast<const std::uint8_t*>(&header), sizeof header);
  NetlinkMessage message =
      make_netlink_message(add ? RTM_NEWROUTE : RTM_DELROUTE,
                           NLM_F_REQUEST | (add ? NLM_F_CREATE | NLM_F_EXCL : 0), fixed);
  nla_put(message.get(), RTA_DST, static_cast<int>(route.prefix.address.size()),
          route.prefix.address.bytes.data());
  nla_put_u32(message.get(), RTA_TABLE, route.table);
  if (route.priority != 0 || !ipv6) nla_put_u32(message.get(), RTA_PRIORITY, route.priority);
  if (!add) return message;
  if (!route.hops.empty()) put_hops(message.get(), route);
  if (!route.metrics.empty()) {
    nlattr* nest = nla_nest_start(message.get(), RTA_METRICS);
    for (const KernelMetric& metric : route.metrics)
      nla_put_u32(message.get(), metric.kind, metric.value);
    nla_nest_end(message.get(), nest);
  }
  return message;
}

NetlinkMessage message_of(const KernelNeighbour& neighbour, bool add) {
  ndmsg header{};
  header.ndm_family = neighbour.address.ipv6 ? AF_INET6 : AF_INET;
  header.ndm_ifindex = neighbour.ifindex;
  header.ndm_state = neighbour.state;
  const Bytes fixed(reinterpret_cast<const std::uint8_t*>(&header), sizeof header);
  NetlinkMessage message =
      make_netlink_message(add ? RTM_NEWNEIGH : RTM_DELNEIGH,
                           NLM_F_REQUEST | (add ? NLM_F_CREATE | NLM_F_EXCL : 0), fixed);
  nla_put(message.get(), NDA_DST, static_cast<int>(neighbour.address.size()),
          neighbour.address.bytes.data());
  if (!add) return message;
  nla_put(message.get(), NDA_LLADDR, static_cast<int>(neighbour.mac.size()), neighbour.mac.data());
  nla_put_u8(message.get(), NDA_PROTOCOL, neighbour.protocol);
  return message;
}

}  // namespace

bool KernelNeighbour::usable() const {
  return (state & (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE)) != 0;
}

bool KernelNeighbour::confirmed() const {
  return (state & (NUD_REACHABLE | NUD_DELAY | NUD_PROBE)) != 0;
}

std::optional<KernelRoute> parse_route(
    nlmsghdr& message,
    const std::function<bool(std::uint8_t protocol, std::uint32_t table)>& wanted,
    RoutesLeftOut& left_out) {
  Attributes a{};
  if (message.nlmsg_type != RTM_NEWROUTE ||
      nlmsg_parse(&message, sizeof(rtmsg), a, RTA_MAX, nullptr) < 0)
    return std::nullopt;
  const auto& header = *static_cast<const rtmsg*>(nlmsg_data(&message));
  KernelRoute route;
  route.table = u32_or(a[RTA_TABLE], header.rtm_table);
  route.protocol = header.rtm_protocol;
  if (!is_forwarding_type(header.rtm_type) || (header.rtm_flags & RTM_F_CLONED) != 0 ||
      !wanted(route.protocol, route.table))
    return std::nullopt;
  if (header.rtm_src_len != 0) return ++left_out.by_source, std::nullopt;
  route.prefix.address.ipv6 = header.rtm_family == AF_INET6;
  route.prefix.length = header.rtm_dst_len;
  if (header.rtm_dst_len != 0 &&
      !read_address(a[RTA_DST], route.prefix.address.ipv6, route.prefix.address))
    return ++left_out.malformed, std::nullopt;
  route.priority = u32_or(a[RTA_PRIORITY], 0);
  route.tos = header.rtm_tos;
  route.type = header.rtm_type;
  route.scope = header.rtm_scope;
  if (!read_where(header, a, route, left_out)) return std::nullopt;
  if (a[RTA_METRICS] != nullptr) read_metrics(a[RTA_METRICS], route);
  return route;
}

std::optional<KernelNeighbour> parse_kernel_neighbour(nlmsghdr& message) {
  nlattr* a[NDA_MAX + 1] = {};
  if (message.nlmsg_type != RTM_NEWNEIGH ||
      nlmsg_parse(&message, sizeof(ndmsg), a, NDA_MAX, nullptr) < 0)
    return std::nullopt;
  const auto& header = *static_cast<const ndmsg*>(nlmsg_data(&message));
  const bool ip = header.ndm_family == AF_INET || header.ndm_family == AF_INET6;
  KernelNeighbour found;
  if (!ip || (header.ndm_flags & NTF_PROXY) != 0 ||
      !read_address(a[NDA_DST], header.ndm_family == AF_INET6, found.address))
    return std::nullopt;
  found.ifindex = header.ndm_ifindex;
  found.state = header.ndm_state;
  if (a[NDA_PROTOCOL] != nullptr && nla_len(a[NDA_PROTOCOL]) >= 1)
    found.protocol = nla_get_u8(a[NDA_PROTOCOL]);
  if (a[NDA_LLADDR] != nullptr && nla_len(a[NDA_LLADDR]) == static_cast<int>(found.mac.size()))
    std::memcpy(found.mac.data(), nla_data(a[NDA_LLADDR]), found.mac.size());
  else
    found.state = NUD_NONE;
  return found;
}

NetlinkMessage route_message(const RouteChange& change) {
  const bool add = change.what == RouteChange::What::add;
  return std::visit([&](const auto& item) { return message_of(item, add); }, change.item);
}

}  // namespace hotpair::sys
