#include "platform/linux/netlink_link_parse.hpp"

#include <array>
#include <cstring>

#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

namespace hotpair::sys {
namespace {

template <std::size_t Max>
using Attributes = std::array<nlattr*, Max + 1>;

std::uint8_t u8(nlattr* a) {
  return a != nullptr && nla_len(a) >= 1 ? nla_get_u8(a) : 0;
}
std::uint16_t u16(nlattr* a) {
  return a != nullptr && nla_len(a) >= 2 ? nla_get_u16(a) : 0;
}
std::uint32_t u32(nlattr* a) {
  return a != nullptr && nla_len(a) >= 4 ? nla_get_u32(a) : 0;
}

std::string text(nlattr* a) {
  if (a == nullptr || nla_len(a) <= 0) return {};
  const auto* data = static_cast<const char*>(nla_data(a));
  return {data, strnlen(data, static_cast<std::size_t>(nla_len(a)))};
}

template <std::size_t Max>
bool parse_nested(Attributes<Max>& out, nlattr* nest) {
  return nest != nullptr && nla_parse_nested(out.data(), static_cast<int>(Max), nest, nullptr) == 0;
}

BondMember parse_bond_member(nlattr* nest) {
  BondMember member;
  Attributes<IFLA_BOND_SLAVE_MAX> a{};
  if (!parse_nested<IFLA_BOND_SLAVE_MAX>(a, nest)) return member;
  member.mii_up = u8(a[IFLA_BOND_SLAVE_MII_STATUS]) == 0;  // BOND_LINK_UP
  member.active = u8(a[IFLA_BOND_SLAVE_STATE]) == 0;       // BOND_STATE_ACTIVE
  member.aggregator_id = u16(a[IFLA_BOND_SLAVE_AD_AGGREGATOR_ID]);
  member.actor_state = u8(a[IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE]);
  member.partner_state = u16(a[IFLA_BOND_SLAVE_AD_PARTNER_OPER_PORT_STATE]);
  return member;
}

void parse_bond(LinkInfo& link, nlattr* nest) {
  Attributes<IFLA_BOND_MAX> a{};
  if (!parse_nested<IFLA_BOND_MAX>(a, nest)) return;
  if (a[IFLA_BOND_MODE] != nullptr) link.bond_mode = u8(a[IFLA_BOND_MODE]);
  Attributes<IFLA_BOND_AD_INFO_MAX> ad{};
  if (parse_nested<IFLA_BOND_AD_INFO_MAX>(ad, a[IFLA_BOND_AD_INFO]))
    link.bond_aggregator = u16(ad[IFLA_BOND_AD_INFO_AGGREGATOR]);
}

void parse_kind(LinkInfo& link, nlattr* nest) {
  Attributes<IFLA_INFO_MAX> info{};
  if (!parse_nested<IFLA_INFO_MAX>(info, nest)) return;
  link.kind = text(info[IFLA_INFO_KIND]);
  if (text(info[IFLA_INFO_SLAVE_KIND]) == "bond")
    link.bond_member = parse_bond_member(info[IFLA_INFO_SLAVE_DATA]);
  if (link.kind == "bond") parse_bond(link, info[IFLA_INFO_DATA]);
  Attributes<IFLA_VRF_MAX> vrf{};
  if (link.kind == "vrf" && parse_nested<IFLA_VRF_MAX>(vrf, info[IFLA_INFO_DATA]))
    link.vrf_table = u32(vrf[IFLA_VRF_TABLE]);
}

}  // namespace

std::optional<LinkInfo> parse_link(nlmsghdr& message) {
  Attributes<IFLA_MAX> a{};
  if (nlmsg_parse(&message, sizeof(ifinfomsg), a.data(), IFLA_MAX, nullptr) < 0)
    return std::nullopt;
  const auto* fixed = static_cast<const ifinfomsg*>(nlmsg_data(&message));
  // AF_BRIDGE messages speak of a bridge port, not of the device.
  if (fixed->ifi_family != AF_UNSPEC || fixed->ifi_index <= 0) return std::nullopt;
  LinkInfo link;
  link.ifindex = fixed->ifi_index;
  link.name = text(a[IFLA_IFNAME]);
  if (link.name.empty()) return std::nullopt;
  link.admin_up = (fixed->ifi_flags & IFF_UP) != 0;
  // operstate (RFC 2863) is unknown for devices that do not track it: loopback, tunnels, some
  // drivers.
  const std::uint8_t operstate = u8(a[IFLA_OPERSTATE]);  // absent: IF_OPER_UNKNOWN, which is 0
  link.carrier = link.admin_up && (fixed->ifi_flags & IFF_LOWER_UP) != 0 &&
                 (operstate == IF_OPER_UP || operstate == IF_OPER_UNKNOWN);
  link.mtu = u32(a[IFLA_MTU]);
  link.master = static_cast<int>(u32(a[IFLA_MASTER]));
  // A peer in another namespace has a number of its own there (veth, IFLA_LINK_NETNSID).
  if (a[IFLA_LINK_NETNSID] == nullptr) link.parent = static_cast<int>(u32(a[IFLA_LINK]));
  if (nlattr* mac = a[IFLA_ADDRESS];
      mac != nullptr && nla_len(mac) == static_cast<int>(link.mac.size()))
    std::memcpy(link.mac.data(), nla_data(mac), link.mac.size());
  parse_kind(link, a[IFLA_LINKINFO]);
  return link;
}

}  // namespace hotpair::sys
