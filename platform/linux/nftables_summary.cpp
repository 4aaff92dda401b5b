#include "platform/linux/nftables_summary.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "platform/linux/clock.hpp"
#include "platform/linux/netlink_socket.hpp"
#include "platform/linux/nftables_message.hpp"

namespace hotpair::sys {
namespace {

constexpr Duration kTimeout = 5s;
constexpr int kReceiveBuffer = 1 << 20;
static_assert(int{NFTA_TABLE_NAME} == int{NFTA_RULE_TABLE});

// Expressions, and matches of iptables, that turn connection tracking on.
bool is_of_tracking(std::string_view name) {
  constexpr std::array<std::string_view, 14> names = {
      "ct",    "nat",  "masq", "redir",      "flow_offload", "synproxy", "conntrack",
      "state", "DNAT", "SNAT", "MASQUERADE", "REDIRECT",     "connmark", "CONNMARK"};
  return std::ranges::find(names, name) != names.end();
}

// The attribute of the name is the first of a match, a target, an expression alike.
static_assert(NFTA_MATCH_NAME == 1 && NFTA_TARGET_NAME == 1 && NFTA_EXPR_NAME == 1);

std::string name_in(nlattr* nested) {
  nlattr* found[NFTA_EXPR_MAX + 1] = {};
  if (nested == nullptr || nla_parse_nested(found, NFTA_EXPR_MAX, nested, nullptr) < 0 ||
      found[NFTA_EXPR_NAME] == nullptr)
    return {};
  return nft_text(found[NFTA_EXPR_NAME]);
}

bool tracks(nlattr* expressions) {
  nlattr* each = nullptr;
  int left = 0;
  nla_for_each_nested(each, expressions, left) {
    const std::string name = name_in(each);
    if (is_of_tracking(name)) return true;
    nlattr* expression[NFTA_EXPR_MAX + 1] = {};
    if ((name == "match" || name == "target") &&
        nla_parse_nested(expression, NFTA_EXPR_MAX, each, nullptr) == 0 &&
        is_of_tracking(name_in(expression[NFTA_EXPR_DATA])))
      return true;
  }
  return false;
}

}  // namespace

Result<NftSummary> read_nft_summary(std::string_view but) {
  auto socket = NetlinkSocket::open({}, kReceiveBuffer, NETLINK_NETFILTER);
  if (!socket) return fail(socket.error());
  NftSummary summary;
  // A dump that a change interrupts begins anew, and so does what was counted of it.
  const auto dump = [&](int what, const NetlinkSocket::Visitor& visit, auto&& begin_anew) {
    const NetlinkMessage request = nft_request(what, NFPROTO_UNSPEC);
    return socket->dump(request.get(), visit, begin_anew, now() + kTimeout);
  };
  const auto each = [&](nlmsghdr& message, bool is_rule) {
    nlattr* found[NFTA_RULE_MAX + 1] = {};
    if (nlmsg_parse(&message, sizeof(nfgenmsg), found, NFTA_RULE_MAX, nullptr) < 0 ||
        found[NFTA_RULE_TABLE] == nullptr)
      return;
    if (!is_rule)
      summary.tables += nft_text(found[NFTA_RULE_TABLE]) != but;
    else if (found[NFTA_RULE_EXPRESSIONS] != nullptr && tracks(found[NFTA_RULE_EXPRESSIONS]))
      summary.tracks = true;
  };
  Status read = dump(
      NFT_MSG_GETTABLE, [&](nlmsghdr& message) { each(message, false); },
      [&] { summary.tables = 0; });
  if (read)
    read = dump(
        NFT_MSG_GETRULE, [&](nlmsghdr& message) { each(message, true); },
        [&] { summary.tracks = false; });
  if (!read) return fail(read.error());
  return summary;
}

}  // namespace hotpair::sys
