#include "platform/linux/netlink_link_reader.hpp"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "platform/linux/netlink_link_parse.hpp"

namespace hotpair::sys {
namespace {

constexpr int kAnswerBuffer = 256 * 1024;

}  // namespace

Result<LinkReader> LinkReader::open() {
  auto socket = NetlinkSocket::open({}, kAnswerBuffer);
  if (!socket) return fail(socket.error());
  return LinkReader(std::move(*socket));
}

std::vector<LinkInfo> LinkReader::read(std::span<const int> ifindexes) {
  std::vector<LinkInfo> found;
  const auto visit = [&](nlmsghdr& message) {
    if (message.nlmsg_type != RTM_NEWLINK) return;
    if (auto link = parse_link(message)) found.push_back(std::move(*link));
  };
  for (const int ifindex : ifindexes) {
    ifinfomsg fixed{};
    fixed.ifi_index = ifindex;
    const NetlinkMessage request = make_netlink_message(
        RTM_GETLINK, NLM_F_REQUEST, {reinterpret_cast<const std::uint8_t*>(&fixed), sizeof(fixed)});
    nla_put_u32(request.get(), IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    const nlmsghdr* header = nlmsg_hdr(request.get());
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(header);
    if (!socket_.send({bytes, header->nlmsg_len})) return found;
    // The kernel answers while it takes the question: what it has to say is there already.
    while (socket_.read(visit) == NetlinkSocket::Read::datagram) continue;
  }
  return found;
}

}  // namespace hotpair::sys
