#include "platform/linux/nftables_message.hpp"

#include <array>
#include <cstring>
#include <utility>

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/attr.h>

namespace hotpair::sys {
namespace {

constexpr std::array<std::pair<std::uint8_t, const char*>, 6> kFamilies = {{
    {NFPROTO_IPV4, "ip"},
    {NFPROTO_IPV6, "ip6"},
    {NFPROTO_INET, "inet"},
    {NFPROTO_BRIDGE, "bridge"},
    {NFPROTO_ARP, "arp"},
    {NFPROTO_NETDEV, "netdev"},
}};

}  // namespace

const char* nft_family_name(std::uint8_t family) {
  for (const auto& [number, name] : kFamilies)
    if (number == family) return name;
  return "";
}

std::uint8_t nft_family_number(const std::string& family) {
  for (const auto& [number, name] : kFamilies)
    if (family == name) return number;
  return NFPROTO_UNSPEC;
}

std::string nft_text(const nlattr* attribute) {
  const auto* text = static_cast<const char*>(nla_data(attribute));
  return {text, strnlen(text, static_cast<std::size_t>(nla_len(attribute)))};
}

int nft_message_type(int what) {
  return (NFNL_SUBSYS_NFTABLES << 8) | what;
}

NetlinkMessage nft_request(int what, std::uint8_t family) {
  nfgenmsg header{};
  header.nfgen_family = family;
  header.version = NFNETLINK_V0;
  return make_netlink_message(nft_message_type(what), 0,
                              {reinterpret_cast<const std::uint8_t*>(&header), sizeof header});
}

}  // namespace hotpair::sys
