#include "platform/linux/netlink_addr.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "platform/linux/clock.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::sys {
namespace {

using What = AddressOperation::What;

constexpr int kReceiveBuffer = 4 * 1024 * 1024;
// So many operations leave in one datagram: some 60 KiB of requests, below the default send buffer,
// and their answers fit in the receive buffer.
constexpr std::size_t kMaxBatch = 512;
constexpr std::size_t kMaxListed = 64 * 1024;
constexpr int kMaxDatagramsATurn = 64;

template <typename T>
Bytes bytes_of(const T& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof(T)};
}

unsigned char family_of(const IpPrefix& prefix) {
  return prefix.address.ipv6 ? AF_INET6 : AF_INET;
}

void put_address(nl_msg* message, int type, const IpAddress& address) {
  nla_put(message, type, static_cast<int>(address.size()), address.bytes.data());
}

NetlinkMessage address_message(const AddressOperation& operation) {
  const bool add = operation.what == What::add_address;
  const InterfaceAddress& address = operation.address;
  ifaddrmsg fixed{};
  fixed.ifa_family = family_of(address.prefix);
  fixed.ifa_prefixlen = address.prefix.length;
  fixed.ifa_scope = static_cast<std::uint8_t>(address.scope);
  fixed.ifa_index = static_cast<unsigned>(address.ifindex);
  if (add && address.prefix.address.ipv6) fixed.ifa_flags = IFA_F_NODAD;
  NetlinkMessage message = make_netlink_message(
      add ? RTM_NEWADDR : RTM_DELADDR,
      NLM_F_REQUEST | NLM_F_ACK | (add ? NLM_F_CREATE | NLM_F_EXCL : 0), bytes_of(fixed));
  put_address(message.get(), IFA_LOCAL, address.prefix.address);
  put_address(message.get(), IFA_ADDRESS, address.prefix.address);
  return message;
}

NetlinkMessage route_message(const AddressOperation& operation) {
  const bool add = operation.what == What::add_route;
  const IpPrefix subnet = subnet_of(operation.address.prefix);
  rtmsg fixed{};
  fixed.rtm_family = family_of(subnet);
  fixed.rtm_dst_len = subnet.length;
  fixed.rtm_table = operation.table < 256 ? static_cast<unsigned char>(operation.table)
                                          : static_cast<unsigned char>(RT_TABLE_COMPAT);
  fixed.rtm_protocol = kRouteProtocol;
  fixed.rtm_scope = subnet.address.ipv6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
  fixed.rtm_type = RTN_UNICAST;
  NetlinkMessage message = make_netlink_message(
      add ? RTM_NEWROUTE : RTM_DELROUTE,
      NLM_F_REQUEST | NLM_F_ACK | (add ? NLM_F_CREATE | NLM_F_EXCL : 0), bytes_of(fixed));
  if (subnet.length > 0) put_address(message.get(), RTA_DST, subnet.address);
  nla_put_u32(message.get(), RTA_OIF, static_cast<std::uint32_t>(operation.address.ifindex));
  nla_put_u32(message.get(), RTA_TABLE, operation.table);
  if (operation.metric != 0) nla_put_u32(message.get(), RTA_PRIORITY, operation.metric);
  return message;
}

NetlinkMessage link_message(const AddressOperation& operation) {
  const bool remove = operation.what == What::delete_link;
  ifinfomsg fixed{};
  fixed.ifi_index = operation.address.ifindex;
  if (!remove) fixed.ifi_change = IFF_UP;
  if (operation.what == What::link_up) fixed.ifi_flags = IFF_UP;
  return make_netlink_message(remove ? RTM_DELLINK : RTM_SETLINK, NLM_F_REQUEST | NLM_F_ACK,
                              bytes_of(fixed));
}

NetlinkMessage message_of(const AddressOperation& operation) {
  switch (operation.what) {
    case What::add_address:
    case What::delete_address:
      return address_message(operation);
    case What::add_route:
    case What::delete_route:
      return route_message(operation);
    case What::link_up:
    case What::link_down:
    case What::delete_link:
      break;
  }
  return link_message(operation);
}

// The wish is already fulfilled.
bool is_so_already(What what, int error) {
  if (what == What::add_address || what == What::add_route) return error == EEXIST;
  if (what == What::link_up) return false;
  return error == EADDRNOTAVAIL || error == ESRCH || error == ENODEV;
}

const char* verb(What what) {
  switch (what) {
    case What::add_address:
      return "cannot add address ";
    case What::delete_address:
      return "cannot remove address ";
    case What::add_route:
      return "cannot add route ";
    case What::delete_route:
      return "cannot remove route ";
    case What::link_up:
      return "cannot set up ";
    case What::link_down:
      return "cannot set down ";
    case What::delete_link:
      break;
  }
  return "cannot remove ";
}

bool is_link(What what) {
  return what == What::link_up || what == What::link_down || what == What::delete_link;
}

std::string device_text(int ifindex) {
  char name[IF_NAMESIZE] = "";
  if (if_indextoname(static_cast<unsigned>(ifindex), name) != nullptr) return name;
  return "device " + std::to_string(ifindex);
}

void settle(OperationResult& result, const AddressOperation& operation, int error,
            const std::string& kernel_text) {
  result.error = error;
  result.ok = error == 0 || is_so_already(operation.what, error);
  result.changed = error == 0;
  result.text.clear();
  if (result.ok) return;
  const std::string device = device_text(operation.address.ifindex);
  const std::string why = kernel_text.empty() ? errno_text(error) : kernel_text;
  const std::string object =
      is_link(operation.what) ? device : to_text(operation.address.prefix) + " on " + device;
  result.text =
      verb(operation.what) + object + ": " + why + "; see 'ip address show " + device + "'";
}

// The kernel's own sentence, when it gave one (NLMSGERR_ATTR_MSG).
std::string extended_text(nlmsghdr& answer) {
  if ((answer.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return {};
  // NETLINK_CAP_ACK: behind nlmsgerr stands the request's header alone, already part of it.
  nlattr* found = nlmsg_find_attr(&answer, sizeof(nlmsgerr), NLMSGERR_ATTR_MSG);
  if (found == nullptr || nla_len(found) <= 0) return {};
  const auto* text = static_cast<const char*>(nla_data(found));
  return {text, strnlen(text, static_cast<std::size_t>(nla_len(found)))};
}

bool parse_address(nlmsghdr& message, InterfaceAddress& out, std::uint32_t& flags) {
  nlattr* attributes[IFA_MAX + 1] = {};
  if (nlmsg_parse(&message, sizeof(ifaddrmsg), attributes, IFA_MAX, nullptr) < 0) return false;
  const auto* fixed = static_cast<const ifaddrmsg*>(nlmsg_data(&message));
  if (fixed->ifa_family != AF_INET && fixed->ifa_family != AF_INET6) return false;
  // On point-to-point links IFA_ADDRESS is the far end, and IFA_LOCAL ours (linux/if_addr.h).
  nlattr* value =
      attributes[IFA_LOCAL] != nullptr ? attributes[IFA_LOCAL] : attributes[IFA_ADDRESS];
  out = {};
  out.ifindex = static_cast<int>(fixed->ifa_index);
  out.prefix.address.ipv6 = fixed->ifa_family == AF_INET6;
  out.prefix.length = fixed->ifa_prefixlen;
  out.scope = static_cast<InterfaceAddress::Scope>(fixed->ifa_scope);
  flags = fixed->ifa_flags;
  if (nlattr* wide = attributes[IFA_FLAGS]; wide != nullptr && nla_len(wide) >= 4)
    flags = nla_get_u32(wide);
  const auto size = static_cast<int>(out.prefix.address.size());
  if (value == nullptr || nla_len(value) < size) return false;
  std::memcpy(out.prefix.address.bytes.data(), nla_data(value), static_cast<std::size_t>(size));
  return true;
}

// One datagram of requests and the answers to it.
class Batch {
 public:
  Batch(NetlinkSocket& socket, std::span<const AddressOperation> operations,
        std::span<OperationResult> results)
      : socket_(socket), operations_(operations), results_(results) {}

  void run(Instant deadline) {
    std::vector<std::uint8_t> requests;
    requests.reserve(operations_.size() * 80);
    for (std::size_t i = 0; i < operations_.size(); ++i) append(i, requests);
    if (Status sent = socket_.send(requests); !sent) return give_up(EIO, sent.error().message);
    auto each = [this](nlmsghdr& answer) { take(answer); };
    while (answered_ < operations_.size()) {
      const NetlinkSocket::Read outcome = socket_.read(each);
      if (outcome == NetlinkSocket::Read::failed) return give_up(EIO, "");
      if (outcome == NetlinkSocket::Read::empty && !socket_.wait_until(deadline))
        return give_up(ETIMEDOUT, "the kernel did not answer in time");
    }
  }

 private:
  void append(std::size_t index, std::vector<std::uint8_t>& requests) {
    const AddressOperation& operation = operations_[index];
    const NetlinkMessage message = message_of(operation);
    nlmsghdr* header = nlmsg_hdr(message.get());
    header->nlmsg_seq = socket_.next_sequence();
    if (index == 0) first_sequence_ = header->nlmsg_seq;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(header);
    requests.insert(requests.end(), bytes, bytes + NLMSG_ALIGN(header->nlmsg_len));
    results_[index].error = EINPROGRESS;
  }

  void take(nlmsghdr& answer) {
    const std::uint32_t index = answer.nlmsg_seq - first_sequence_;
    if (answer.nlmsg_type != NLMSG_ERROR || index >= operations_.size()) return;
    if (nlmsg_datalen(&answer) < static_cast<int>(sizeof(nlmsgerr))) return;
    if (results_[index].error != EINPROGRESS) return;
    const int error = -static_cast<const nlmsgerr*>(nlmsg_data(&answer))->error;
    settle(results_[index], operations_[index], error, extended_text(answer));
    ++answered_;
  }

  void give_up(int error, const std::string& why) {
    for (std::size_t i = 0; i < results_.size(); ++i)
      if (results_[i].error == EINPROGRESS) settle(results_[i], operations_[i], error, why);
  }

  NetlinkSocket& socket_;
  std::span<const AddressOperation> operations_;
  std::span<OperationResult> results_;
  std::uint32_t first_sequence_ = 0;
  std::size_t answered_ = 0;
};

}  // namespace

Result<AddressTable> AddressTable::open() {
  auto socket = NetlinkSocket::open({}, kReceiveBuffer);
  if (!socket) return fail(socket.error());
  return AddressTable(std::move(*socket));
}

std::vector<OperationResult> AddressTable::apply(std::span<const AddressOperation> operations,
                                                 Duration timeout) {
  const Instant deadline = now() + timeout;
  std::vector<OperationResult> results(operations.size());
  for (std::size_t at = 0; at < operations.size(); at += kMaxBatch) {
    const std::size_t count = std::min(kMaxBatch, operations.size() - at);
    Batch(socket_, operations.subspan(at, count), std::span(results).subspan(at, count))
        .run(deadline);
  }
  return results;
}

Result<std::vector<InterfaceAddress>> AddressTable::list(int ifindex, Duration timeout) {
  std::vector<InterfaceAddress> addresses;
  ifaddrmsg fixed{};
  fixed.ifa_index = static_cast<unsigned>(ifindex);
  const NetlinkMessage request = make_netlink_message(RTM_GETADDR, 0, bytes_of(fixed));
  auto each = [&](nlmsghdr& message) {
    InterfaceAddress address;
    std::uint32_t flags = 0;
    if (message.nlmsg_type != RTM_NEWADDR || !parse_address(message, address, flags)) return;
    if (ifindex != 0 && address.ifindex != ifindex) return;
    if (addresses.size() < kMaxListed) addresses.push_back(address);
  };
  const Status done = socket_.dump(
      request.get(), each, [&] { addresses.clear(); }, now() + timeout);
  if (!done) return fail(done.error());
  return addresses;
}

Result<std::unique_ptr<AddressWatch>> AddressWatch::open() {
  auto socket = NetlinkSocket::open({RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR}, kReceiveBuffer);
  if (!socket) return fail(socket.error());
  return std::unique_ptr<AddressWatch>(new AddressWatch(std::move(*socket)));
}

void AddressWatch::handle_readable() {
  auto each = [this](nlmsghdr& message) {
    AddressChange change;
    std::uint32_t flags = 0;
    if (message.nlmsg_type != RTM_NEWADDR && message.nlmsg_type != RTM_DELADDR) return;
    if (!parse_address(message, change.address, flags) || !on_change_) return;
    change.added = message.nlmsg_type == RTM_NEWADDR;
    change.duplicate = (flags & IFA_F_DADFAILED) != 0;
    on_change_(change);
  };
  for (int i = 0; i < kMaxDatagramsATurn; ++i) {
    const NetlinkSocket::Read outcome = socket_.read(each);
    if (outcome == NetlinkSocket::Read::overrun && on_overrun_) on_overrun_();
    if (outcome == NetlinkSocket::Read::empty || outcome == NetlinkSocket::Read::failed) return;
  }
}

}  // namespace hotpair::sys
