#include "platform/linux/netlink_neigh.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
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
constexpr std::uint16_t kOfUse = NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE;

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

std::optional<Neighbour> neighbour_in(nlmsghdr& message, std::span<const int> ifindexes) {
  nlattr* attributes[NDA_MAX + 1] = {};
  if (message.nlmsg_type != RTM_NEWNEIGH ||
      nlmsg_parse(&message, sizeof(ndmsg), attributes, NDA_MAX, nullptr) < 0)
    return std::nullopt;
  const auto* found = static_cast<const ndmsg*>(nlmsg_data(&message));
  if (std::find(ifindexes.begin(), ifindexes.end(), found->ndm_ifindex) == ifindexes.end() ||
      (found->ndm_state & kOfUse) == 0 || (found->ndm_flags & NTF_PROXY) != 0)
    return std::nullopt;
  if (found->ndm_family != AF_INET && found->ndm_family != AF_INET6) return std::nullopt;
  Neighbour neighbour;
  neighbour.ifindex = found->ndm_ifindex;
  neighbour.address.ipv6 = found->ndm_family == AF_INET6;
  nlattr* address = attributes[NDA_DST];
  nlattr* mac = attributes[NDA_LLADDR];
  if (address == nullptr || mac == nullptr ||
      nla_len(address) != static_cast<int>(neighbour.address.size()) ||
      nla_len(mac) != static_cast<int>(neighbour.mac.size()))
    return std::nullopt;
  std::memcpy(neighbour.address.bytes.data(), nla_data(address), neighbour.address.size());
  std::memcpy(neighbour.mac.data(), nla_data(mac), neighbour.mac.size());
  return neighbour;
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

Result<std::vector<Neighbour>> list_neighbours(std::span<const int> ifindexes, std::size_t most,
                                               Duration timeout) {
  auto socket = NetlinkSocket::open({}, kReceiveBuffer);
  if (!socket) return fail(socket.error());
  std::vector<Neighbour> found;
  const ndmsg any{};
  const NetlinkMessage request = make_netlink_message(RTM_GETNEIGH, 0, bytes_of(any));
  const Status listed = socket->dump(
      request.get(),
      [&](nlmsghdr& message) {
        if (found.size() >= most) return;
        if (const auto neighbour = neighbour_in(message, ifindexes)) found.push_back(*neighbour);
      },
      [&] { found.clear(); }, now() + timeout);
  if (!listed) return fail(listed.error());
  return found;
}

}  // namespace hotpair::sys
