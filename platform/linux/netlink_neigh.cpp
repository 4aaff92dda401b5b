#include "platform/linux/netlink_neigh.hpp"

#include <algorithm>
#include <vector>

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "platform/linux/clock.hpp"
#include "platform/linux/netlink_socket.hpp"

namespace hotpair::sys {
namespace {

constexpr int kReceiveBuffer = 1024 * 1024;
constexpr std::size_t kMostForgotten = 4096;
constexpr std::uint16_t kUnresolved = NUD_INCOMPLETE | NUD_FAILED;

template <typename T>
Bytes bytes_of(const T& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof(T)};
}

// The request that deletes what `message` lists; none when it is to be left alone.
NetlinkMessage deletion_of(nlmsghdr& message, std::span<const int> ifindexes) {
  nlattr* attributes[NDA_MAX + 1] = {};
  if (message.nlmsg_type != RTM_NEWNEIGH ||
      nlmsg_parse(&message, sizeof(ndmsg), attributes, NDA_MAX, nullptr) < 0)
    return nullptr;
  const auto* found = static_cast<const ndmsg*>(nlmsg_data(&message));
  const bool ours =
      std::find(ifindexes.begin(), ifindexes.end(), found->ndm_ifindex) != ifindexes.end();
  nlattr* address = attributes[NDA_DST];
  if (!ours || (found->ndm_state & kUnresolved) == 0 || address == nullptr) return nullptr;
  ndmsg fixed{};
  fixed.ndm_family = found->ndm_family;
  fixed.ndm_ifindex = found->ndm_ifindex;
  NetlinkMessage request = make_netlink_message(RTM_DELNEIGH, NLM_F_REQUEST, bytes_of(fixed));
  nla_put(request.get(), NDA_DST, nla_len(address), nla_data(address));
  return request;
}

}  // namespace

Status forget_unresolved_neighbours(std::span<const int> ifindexes, Duration timeout) {
  auto socket = NetlinkSocket::open({}, kReceiveBuffer);
  if (!socket) return fail(socket.error());
  std::vector<NetlinkMessage> deletions;
  const ndmsg any{};
  const NetlinkMessage request = make_netlink_message(RTM_GETNEIGH, 0, bytes_of(any));
  const Status listed = socket->dump(
      request.get(),
      [&](nlmsghdr& message) {
        if (deletions.size() >= kMostForgotten) return;
        if (auto deletion = deletion_of(message, ifindexes))
          deletions.push_back(std::move(deletion));
      },
      [&] { deletions.clear(); }, now() + timeout);
  if (!listed) return listed;
  // No answer is asked for: an entry that went by itself, or was answered meanwhile, is as good.
  for (const NetlinkMessage& deletion : deletions) {
    const nlmsghdr* header = nlmsg_hdr(deletion.get());
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(header);
    if (Status sent = socket->send({bytes, header->nlmsg_len}); !sent) return sent;
  }
  return Ok{};
}

}  // namespace hotpair::sys
