#include "platform/linux/nftables_watch.hpp"

#include <algorithm>
#include <utility>

#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "platform/linux/nftables_message.hpp"

namespace hotpair::sys {
namespace {

// Some 30,000 elements that change at once; what is more is lost, and read anew.
constexpr int kReceiveBuffer = 8 << 20;
constexpr int kMostReads = 4096;
constexpr std::size_t kMostOfASet = 16'384;
// The first attribute of tables, chains, rules, sets and elements alike names the table, the second
// of sets and elements the set.
static_assert(NFTA_TABLE_NAME == 1 && NFTA_CHAIN_TABLE == 1 && NFTA_RULE_TABLE == 1 &&
              NFTA_SET_TABLE == 1 && NFTA_SET_ELEM_LIST_TABLE == 1 && NFTA_SET_NAME == 2 &&
              NFTA_SET_ELEM_LIST_SET == 2);

NftSetId set_of(nlmsghdr& message, bool named) {
  nlattr* attributes[NFTA_SET_NAME + 1] = {};
  NftSetId set;
  if (nlmsg_parse(&message, sizeof(nfgenmsg), attributes, NFTA_SET_NAME, nullptr) < 0) return set;
  set.family = nft_family_name(static_cast<const nfgenmsg*>(nlmsg_data(&message))->nfgen_family);
  if (attributes[NFTA_SET_TABLE] != nullptr) set.table = nft_text(attributes[NFTA_SET_TABLE]);
  if (named && attributes[NFTA_SET_NAME] != nullptr) set.name = nft_text(attributes[NFTA_SET_NAME]);
  return set;
}

bool is_of_elements(int what) {
  return what == NFT_MSG_NEWSETELEM || what == NFT_MSG_DELSETELEM;
}

bool is_of_set(int what) {
  return what == NFT_MSG_NEWSET || what == NFT_MSG_DELSET;
}

}  // namespace

Result<NftablesWatch> NftablesWatch::open() {
  auto socket = NetlinkSocket::open({NFNLGRP_NFTABLES}, kReceiveBuffer, NETLINK_NETFILTER);
  if (!socket) return fail(socket.error());
  return NftablesWatch(std::move(socket).value());
}

void NftablesWatch::visit(nlmsghdr& message, const Wanted& wanted, Heard& heard) {
  if (NFNL_SUBSYS_ID(message.nlmsg_type) != NFNL_SUBSYS_NFTABLES) return;
  const int what = NFNL_MSG_TYPE(message.nlmsg_type);
  if (what == NFT_MSG_NEWGEN) return end_transaction(heard);  // ends each, and names no table
  heard.changed = true;
  const NftSetId set = set_of(message, is_of_elements(what) || is_of_set(what));
  heard.tables.insert(set.table);
  if (is_of_elements(what)) {
    heard.sets.insert(set);
    if (wanted && wanted(set, message.nlmsg_pid)) take_elements(message, set, heard);
    return;
  }
  heard.ruled.insert(set.table);
  if (what == NFT_MSG_DELTABLE) heard.deleted.insert(set.table);
  if (is_of_set(what)) heard.untold.insert(set);
}

void NftablesWatch::take_elements(nlmsghdr& message, const NftSetId& set, Heard& heard) {
  auto& events = arriving_[set];
  std::vector<NftRawElement> raw;
  if (!parse_elements(message, raw) || events.size() + raw.size() > kMostOfASet) {
    heard.untold.insert(set);
    return;
  }
  const bool gone = NFNL_MSG_TYPE(message.nlmsg_type) == NFT_MSG_DELSETELEM;
  for (NftRawElement& each : raw) events.push_back({std::move(each), gone, transaction_});
}

void NftablesWatch::end_transaction(Heard& heard) {
  ++transaction_;
  for (auto& [set, events] : std::exchange(arriving_, {})) {
    auto& told = heard.elements[set];
    if (told.size() + events.size() > kMostOfASet)
      heard.untold.insert(set);
    else
      std::ranges::move(events, std::back_inserter(told));
  }
}

NftablesWatch::Heard NftablesWatch::read(const Wanted& wanted) {
  Heard heard;
  for (int i = 0; i < kMostReads; ++i) {
    const auto read = socket_.read([&](nlmsghdr& message) { visit(message, wanted, heard); });
    if (read == NetlinkSocket::Read::empty || read == NetlinkSocket::Read::failed) break;
    if (read == NetlinkSocket::Read::overrun) heard.changed = heard.lost = true;
  }
  if (heard.lost) arriving_.clear();
  return heard;
}

}  // namespace hotpair::sys
