#include "platform/linux/netlink_macvlan.hpp"

#include <cerrno>
#include <optional>

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "platform/linux/clock.hpp"
#include "platform/linux/netlink_socket.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::sys {
namespace {

constexpr int kReceiveBuffer = 64 * 1024;

NetlinkMessage creation_of(const MacvlanOptions& options) {
  const ifinfomsg fixed{};
  NetlinkMessage message =
      make_netlink_message(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL,
                           {reinterpret_cast<const std::uint8_t*>(&fixed), sizeof(fixed)});
  nl_msg* m = message.get();
  nla_put_string(m, IFLA_IFNAME, options.name.c_str());
  nla_put_u32(m, IFLA_LINK, static_cast<std::uint32_t>(options.parent));
  nla_put(m, IFLA_ADDRESS, static_cast<int>(options.mac.size()), options.mac.data());
  if (options.master != 0) nla_put_u32(m, IFLA_MASTER, static_cast<std::uint32_t>(options.master));
  nlattr* info = nla_nest_start(m, IFLA_LINKINFO);
  nla_put_string(m, IFLA_INFO_KIND, "macvlan");
  nlattr* data = nla_nest_start(m, IFLA_INFO_DATA);
  nla_put_u32(m, IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE);
  nla_nest_end(m, data);
  nla_nest_end(m, info);
  return message;
}

}  // namespace

Status create_macvlan(const MacvlanOptions& options, Duration timeout) {
  auto socket = NetlinkSocket::open({}, kReceiveBuffer);
  if (!socket) return fail(socket.error());
  const NetlinkMessage request = creation_of(options);
  nlmsghdr* header = nlmsg_hdr(request.get());
  header->nlmsg_seq = socket->next_sequence();
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(header);
  if (Status sent = socket->send({bytes, header->nlmsg_len}); !sent) return sent;
  std::optional<int> error;
  auto take = [&](nlmsghdr& answer) {
    if (answer.nlmsg_type != NLMSG_ERROR || answer.nlmsg_seq != header->nlmsg_seq) return;
    if (nlmsg_datalen(&answer) < static_cast<int>(sizeof(nlmsgerr))) return;
    error = -static_cast<const nlmsgerr*>(nlmsg_data(&answer))->error;
  };
  for (const Instant deadline = now() + timeout; !error;) {
    const NetlinkSocket::Read outcome = socket->read(take);
    if (outcome == NetlinkSocket::Read::failed) error = EIO;
    if (outcome == NetlinkSocket::Read::empty && !socket->wait_until(deadline)) error = ETIMEDOUT;
  }
  if (*error == 0) return Ok{};
  return fail_errno("cannot make the macvlan " + options.name + " with MAC address " +
                        to_text(options.mac) + " (see 'modinfo macvlan' and 'ip -d link')",
                    *error);
}

}  // namespace hotpair::sys
