#include "platform/linux/nftables_watch.hpp"

#include <cstring>

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

namespace hotpair::sys {
namespace {

constexpr int kReceiveBuffer = 1 << 20;
constexpr int kMostReads = 4096;
// The first attribute of tables, chains, rules, sets and elements alike names the table.
static_assert(NFTA_TABLE_NAME == 1 && NFTA_CHAIN_TABLE == 1 && NFTA_RULE_TABLE == 1 &&
              NFTA_SET_TABLE == 1 && NFTA_SET_ELEM_LIST_TABLE == 1 && NFTA_SET_ELEM_LIST_SET == 2);

std::string text_of(nlmsghdr& message, int type) {
  nlattr* attributes[NFTA_SET_ELEM_LIST_SET + 1] = {};
  if (nlmsg_parse(&message, sizeof(nfgenmsg), attributes, NFTA_SET_ELEM_LIST_SET, nullptr) < 0 ||
      attributes[type] == nullptr)
    return {};
  const auto* text = static_cast<const char*>(nla_data(attributes[type]));
  return {text, strnlen(text, static_cast<std::size_t>(nla_len(attributes[type])))};
}

}  // namespace

Result<NftablesWatch> NftablesWatch::open() {
  auto socket = NetlinkSocket::open({NFNLGRP_NFTABLES}, kReceiveBuffer, NETLINK_NETFILTER);
  if (!socket) return fail(socket.error());
  return NftablesWatch(std::move(socket).value());
}

NftablesWatch::Heard NftablesWatch::read() {
  Heard heard;
  const auto visit = [&](nlmsghdr& message) {
    if (NFNL_SUBSYS_ID(message.nlmsg_type) != NFNL_SUBSYS_NFTABLES) return;
    const int what = NFNL_MSG_TYPE(message.nlmsg_type);
    if (what == NFT_MSG_NEWGEN) return;  // ends each change, and names no table
    heard.changed = true;
    const std::string table = text_of(message, NFTA_TABLE_NAME);
    heard.tables.insert(table);
    if (what == NFT_MSG_NEWSETELEM || what == NFT_MSG_DELSETELEM)
      heard.sets.insert(text_of(message, NFTA_SET_ELEM_LIST_SET));
    else
      heard.ruled.insert(table);
    if (what == NFT_MSG_DELTABLE) heard.deleted.insert(table);
  };
  for (int i = 0; i < kMostReads; ++i) {
    const auto read = socket_.read(visit);
    if (read == NetlinkSocket::Read::empty || read == NetlinkSocket::Read::failed) break;
    if (read == NetlinkSocket::Read::overrun) heard.changed = heard.lost = true;
  }
  return heard;
}

}  // namespace hotpair::sys
