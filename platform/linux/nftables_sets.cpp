#include "platform/linux/nftables_sets.hpp"

#include <algorithm>

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <sys/socket.h>

#include "platform/linux/clock.hpp"
#include "platform/linux/nftables_message.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::sys {
namespace {

constexpr int kReceiveBuffer = 8 << 20;
constexpr Duration kDumpTimeout = 10s, kAnswerTimeout = 10s;
// A list of elements is one attribute, at most 64 KiB; a transaction fits into a socket's buffer.
constexpr std::size_t kListBytes = 32u << 10, kBatchBytes = 96u << 10;
// nft's number of the type iface_index; of a concatenation the last six bits name its last part.
constexpr std::uint32_t kIfaceIndex = 20, kTypeBits = 6;

NetlinkMessage batch_mark(int type) {
  nfgenmsg header{};
  header.version = NFNETLINK_V0;
  header.res_id = htons(NFNL_SUBSYS_NFTABLES);
  return make_netlink_message(type, NLM_F_REQUEST,
                              {reinterpret_cast<const std::uint8_t*>(&header), sizeof header});
}

std::uint32_t u32_of(const nlattr* attribute) {
  if (attribute == nullptr || nla_len(attribute) < 4) return 0;
  return load_be<std::uint32_t>(static_cast<const std::uint8_t*>(nla_data(attribute)));
}

bool has_index(std::uint32_t type) {
  for (; type != 0; type >>= kTypeBits)
    if ((type & ((1u << kTypeBits) - 1)) == kIfaceIndex) return true;
  return false;
}

void take_set(nlmsghdr& message, std::vector<NftSet>& sets) {
  nlattr* found[NFTA_SET_MAX + 1] = {};
  if (nlmsg_parse(&message, sizeof(nfgenmsg), found, NFTA_SET_MAX, nullptr) < 0 ||
      found[NFTA_SET_TABLE] == nullptr || found[NFTA_SET_NAME] == nullptr)
    return;
  const std::uint32_t flags = u32_of(found[NFTA_SET_FLAGS]);
  if ((flags & NFT_SET_ANONYMOUS) != 0) return;
  NftSet set;
  set.family = nft_family_name(static_cast<const nfgenmsg*>(nlmsg_data(&message))->nfgen_family);
  set.table = nft_text(found[NFTA_SET_TABLE]);
  set.name = nft_text(found[NFTA_SET_NAME]);
  set.paired = (flags & NFT_SET_INTERVAL) != 0 && (flags & NFT_SET_CONCAT) == 0;
  set.by_index = has_index(u32_of(found[NFTA_SET_KEY_TYPE]));
  set.comes_and_goes = (flags & (NFT_SET_TIMEOUT | NFT_SET_EVAL)) != 0;
  sets.push_back(std::move(set));
}

// The sets of a rule's expressions of the kind "dynset".
void take_fed(nlmsghdr& message, std::set<NftSetId>& sets) {
  nlattr* rule[NFTA_RULE_MAX + 1] = {};
  if (nlmsg_parse(&message, sizeof(nfgenmsg), rule, NFTA_RULE_MAX, nullptr) < 0 ||
      rule[NFTA_RULE_TABLE] == nullptr || rule[NFTA_RULE_EXPRESSIONS] == nullptr)
    return;
  const char* family =
      nft_family_name(static_cast<const nfgenmsg*>(nlmsg_data(&message))->nfgen_family);
  nlattr* each = nullptr;
  int left = 0;
  nla_for_each_nested(each, rule[NFTA_RULE_EXPRESSIONS], left) {
    nlattr* expression[NFTA_EXPR_MAX + 1] = {};
    nlattr* dynset[NFTA_DYNSET_MAX + 1] = {};
    if (nla_parse_nested(expression, NFTA_EXPR_MAX, each, nullptr) < 0 ||
        expression[NFTA_EXPR_NAME] == nullptr || nft_text(expression[NFTA_EXPR_NAME]) != "dynset" ||
        expression[NFTA_EXPR_DATA] == nullptr ||
        nla_parse_nested(dynset, NFTA_DYNSET_MAX, expression[NFTA_EXPR_DATA], nullptr) < 0 ||
        dynset[NFTA_DYNSET_SET_NAME] == nullptr)
      continue;
    sets.insert({family, nft_text(rule[NFTA_RULE_TABLE]), nft_text(dynset[NFTA_DYNSET_SET_NAME])});
  }
}

void name_set(nl_msg* message, const NftSet& set) {
  nla_put_string(message, NFTA_SET_ELEM_LIST_TABLE, set.table.c_str());
  nla_put_string(message, NFTA_SET_ELEM_LIST_SET, set.name.c_str());
}

void append(std::vector<std::uint8_t>& batch, const NetlinkMessage& message, std::uint32_t seq) {
  nlmsghdr* header = nlmsg_hdr(message.get());
  header->nlmsg_seq = seq;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(header);
  batch.insert(batch.end(), bytes, bytes + header->nlmsg_len);
  batch.resize(NLMSG_ALIGN(batch.size()));
}

}  // namespace

Result<NftablesSets> NftablesSets::open() {
  auto socket = NetlinkSocket::open({}, kReceiveBuffer, NETLINK_NETFILTER);
  if (!socket) return fail(socket.error());
  sockaddr_nl own{};
  socklen_t size = sizeof own;
  if (getsockname(socket->fd(), reinterpret_cast<sockaddr*>(&own), &size) != 0)
    return fail_errno("cannot ask for a netlink socket's port", errno);
  return NftablesSets(std::move(socket).value(), own.nl_pid);
}

// What `take` makes of every message of the kernel's answer.
template <typename Found>
Result<Found> NftablesSets::dump(int what, void (*take)(nlmsghdr&, Found&)) {
  Found found;
  const NetlinkMessage request = nft_request(what, NFPROTO_UNSPEC);
  const Status read = socket_.dump(
      request.get(), [&](nlmsghdr& message) { take(message, found); }, [&] { found.clear(); },
      now() + kDumpTimeout);
  if (!read) return fail(read.error());
  return found;
}

Result<std::vector<NftSet>> NftablesSets::list() {
  return dump(NFT_MSG_GETSET, take_set);
}

Result<std::set<NftSetId>> NftablesSets::fed_by_packets() {
  return dump(NFT_MSG_GETRULE, take_fed);
}

Result<std::vector<NftElement>> NftablesSets::read(const NftSet& set, std::size_t most) {
  std::vector<NftRawElement> raw;
  bool good = true;
  const NetlinkMessage request = nft_request(NFT_MSG_GETSETELEM, nft_family_number(set.family));
  name_set(request.get(), set);
  const Status read = socket_.dump(
      request.get(),
      [&](nlmsghdr& message) {
        good = good && raw.size() <= 2 * most && parse_elements(message, raw);
      },
      [&] { raw.clear(); }, now() + kDumpTimeout);
  if (!read) return fail(read.error());
  std::vector<NftElement> elements;
  if (set.paired) {
    elements = pair_intervals(std::move(raw));
  } else {
    elements.reserve(raw.size());
    for (auto& each : raw) elements.push_back(std::move(each.element));
  }
  if (elements.size() > most)
    return fail_with("it has more than " + std::to_string(most) + " elements");
  if (!good) return fail_with("the kernel's elements of it cannot be read");
  return elements;
}

Status NftablesSets::change(const NftSet& set, std::span<const std::string> removed_keys,
                            std::span<const NftElement> added) {
  std::vector<std::pair<int, std::string>> messages;
  std::size_t bytes = 0;
  const auto put = [&](int what, const std::string& attributes) -> Status {
    if (messages.empty() || messages.back().first != what ||
        messages.back().second.size() + attributes.size() > kListBytes)
      messages.emplace_back(what, "");
    messages.back().second += attributes;
    bytes += attributes.size();
    if (bytes < kBatchBytes) return Ok{};
    const Status sent = send_batch(set, messages);
    messages.clear();
    bytes = 0;
    return sent;
  };
  for (const std::string& key : removed_keys)
    if (Status done = put(NFT_MSG_DELSETELEM, element_attributes({key, {}, {}}, false)); !done)
      return done;
  for (const NftElement& element : added)
    if (Status done = put(NFT_MSG_NEWSETELEM, element_attributes(element, true)); !done)
      return done;
  return messages.empty() ? Status(Ok{}) : send_batch(set, messages);
}

Status NftablesSets::send_batch(const NftSet& set,
                                std::span<const std::pair<int, std::string>> messages) {
  std::vector<std::uint8_t> batch;
  const std::uint32_t first = socket_.next_sequence();
  append(batch, batch_mark(NFNL_MSG_BATCH_BEGIN), first);
  std::uint32_t last = first;
  for (const auto& [what, attributes] : messages) {
    const int flags = NLM_F_REQUEST | NLM_F_ACK | (what == NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0);
    nfgenmsg header{};
    header.nfgen_family = nft_family_number(set.family);
    NetlinkMessage message(
        nlmsg_alloc_size(attributes.size() + set.table.size() + set.name.size() + 256));
    HOTPAIR_ASSERT(message != nullptr);
    nlmsghdr* begun = nlmsg_put(message.get(), 0, 0, nft_message_type(what), 0, flags);
    HOTPAIR_ASSERT(begun != nullptr);
    (void)nlmsg_append(message.get(), &header, sizeof header, NLMSG_ALIGNTO);
    name_set(message.get(), set);
    nla_put(message.get(), NFTA_SET_ELEM_LIST_ELEMENTS | NLA_F_NESTED,
            static_cast<int>(attributes.size()), attributes.data());
    append(batch, message, last = socket_.next_sequence());
  }
  append(batch, batch_mark(NFNL_MSG_BATCH_END), socket_.next_sequence());
  if (Status sent = socket_.send(batch); !sent) return sent;
  return await(first, last);
}

// A transaction that fails as a whole is answered as its beginning.
Status NftablesSets::await(std::uint32_t first, std::uint32_t last) {
  const Instant deadline = now() + kAnswerTimeout;
  bool done = false;
  int error = 0;
  const auto answer = [&](nlmsghdr& message) {
    if (message.nlmsg_type != NLMSG_ERROR || message.nlmsg_seq - first > last - first ||
        nlmsg_datalen(&message) < static_cast<int>(sizeof(nlmsgerr)))
      return;
    const int said = -static_cast<const nlmsgerr*>(nlmsg_data(&message))->error;
    if (error == 0) error = said;
    done = done || message.nlmsg_seq == last || said != 0;
  };
  while (!done) {
    const auto read = socket_.read(answer);
    if (read == NetlinkSocket::Read::failed || read == NetlinkSocket::Read::overrun)
      return fail_with("the kernel's answer to a change of elements was lost");
    if (read == NetlinkSocket::Read::empty && !socket_.wait_until(deadline))
      return fail_with("the kernel did not answer a change of elements in time");
  }
  if (error != 0) return fail_errno("the kernel refused a change of elements", error);
  return Ok{};
}

}  // namespace hotpair::sys
