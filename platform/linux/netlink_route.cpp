#include "platform/linux/netlink_route.hpp"

#include <algorithm>
#include <cerrno>

#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <sys/socket.h>

#include "platform/linux/clock.hpp"
#include "platform/linux/netlink_route_parse.hpp"

namespace hotpair::sys {
namespace {

// Room for the refusals of a whole batch.
constexpr int kReceiveBuffer = 4 << 20, kWatchBuffer = 256 << 10;
constexpr Duration kDumpTimeout = 10s, kAnswerTimeout = 5s;
// A batch takes the kernel about half a millisecond, and fits into a socket's buffer.
constexpr std::size_t kBatch = 128, kBatchBytes = 64 << 10;
// What one reading of the events takes at most: under a storm there is always one more.
constexpr int kMostEvents = 10'000;

template <typename T>
Bytes bytes_of(const T& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof(T)};
}

}  // namespace

Result<RouteTables> RouteTables::open() {
  auto socket = NetlinkSocket::open({}, kReceiveBuffer);
  if (!socket) return fail(socket.error());
  return RouteTables(std::move(socket).value());
}

Status RouteTables::read_routes(const Wanted& wanted,
                                const std::function<void(KernelRoute&&)>& visit,
                                RoutesLeftOut& left_out) {
  for (const int family : {AF_INET, AF_INET6}) {
    rtmsg header{};
    header.rtm_family = static_cast<std::uint8_t>(family);
    const NetlinkMessage request = make_netlink_message(RTM_GETROUTE, 0, bytes_of(header));
    const RoutesLeftOut counted = left_out;
    const Status read = socket_.dump(
        request.get(),
        [&](nlmsghdr& message) {
          if (auto route = parse_route(message, wanted, left_out)) visit(std::move(*route));
        },
        [&] { left_out = counted; }, now() + kDumpTimeout);
    if (!read) return read;
  }
  return Ok{};
}

Status RouteTables::read_neighbours(std::vector<KernelNeighbour>& neighbours) {
  const ndmsg any{};
  const NetlinkMessage request = make_netlink_message(RTM_GETNEIGH, 0, bytes_of(any));
  return socket_.dump(
      request.get(),
      [&](nlmsghdr& message) {
        if (const auto found = parse_kernel_neighbour(message)) neighbours.push_back(*found);
      },
      [&] { neighbours.clear(); }, now() + kDumpTimeout);
}

std::vector<int> RouteTables::apply(std::span<const RouteChange> changes) {
  std::vector<int> results(changes.size(), EIO);
  for (std::size_t at = 0; at < changes.size();) {
    const std::size_t done = send_batch(changes.subspan(at), std::span(results).subspan(at));
    if (done == 0) break;
    at += done;
  }
  return results;
}

// Only the last is acknowledged: the kernel answers in order, and refusals come by themselves.
std::size_t RouteTables::send_batch(std::span<const RouteChange> changes, std::span<int> results) {
  std::vector<std::uint8_t> batch;
  std::size_t count = 0, last_at = 0;
  const std::uint32_t first = socket_.next_sequence();
  std::uint32_t last = first;
  for (; count < std::min(changes.size(), kBatch) && batch.size() < kBatchBytes; ++count) {
    const NetlinkMessage message = route_message(changes[count]);
    nlmsghdr* header = nlmsg_hdr(message.get());
    if (count > 0) last = socket_.next_sequence();
    header->nlmsg_seq = last;
    last_at = batch.size();
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(header);
    batch.insert(batch.end(), bytes, bytes + NLMSG_ALIGN(header->nlmsg_len));
  }
  reinterpret_cast<nlmsghdr*>(batch.data() + last_at)->nlmsg_flags |= NLM_F_ACK;
  if (!socket_.send(batch)) return 0;
  std::fill_n(results.begin(), count, 0);
  return collect(first, last, results.first(count)) ? count : 0;
}

bool RouteTables::collect(std::uint32_t first, std::uint32_t last, std::span<int> results) {
  bool done = false;
  const Instant deadline = now() + kAnswerTimeout;
  const auto answer = [&](nlmsghdr& message) {
    const std::uint32_t at = message.nlmsg_seq - first;
    if (message.nlmsg_type != NLMSG_ERROR || at >= results.size() ||
        nlmsg_datalen(&message) < static_cast<int>(sizeof(nlmsgerr)))
      return;
    results[at] = -static_cast<const nlmsgerr*>(nlmsg_data(&message))->error;
    done = done || message.nlmsg_seq == last;
  };
  while (!done) {
    const auto read = socket_.read(answer);
    if (read == NetlinkSocket::Read::failed || read == NetlinkSocket::Read::overrun ||
        (read == NetlinkSocket::Read::empty && !socket_.wait_until(deadline))) {
      std::fill(results.begin(), results.end(), EIO);
      return false;
    }
  }
  return true;
}

Result<RouteWatch> RouteWatch::open(Of what) {
  auto socket = what == Of::routes
                    ? NetlinkSocket::open({RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_LINK},
                                          kWatchBuffer)
                    : NetlinkSocket::open({RTNLGRP_NEIGH}, kWatchBuffer);
  if (!socket) return fail(socket.error());
  return RouteWatch(std::move(socket).value());
}

bool RouteWatch::drain() {
  for (int i = 0; i < kMostEvents; ++i) {
    const auto read = socket_.read([](nlmsghdr&) {});
    if (read == NetlinkSocket::Read::empty || read == NetlinkSocket::Read::failed) return i > 0;
  }
  return true;
}

}  // namespace hotpair::sys
