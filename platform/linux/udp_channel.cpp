#include "platform/linux/udp_channel.hpp"

#include <cerrno>
#include <cstring>
#include <optional>

#include <netinet/in.h>
#include <sys/socket.h>

#include "platform/linux/socket_address.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::sys {
namespace {

constexpr int kPriority = 6;           // TC_PRIO_INTERACTIVE: before bulk traffic in local queues
constexpr int kTrafficClass = 6 << 5;  // DSCP CS6, network control (RFC 4594 section 3.1)

IpAddress from_socket_address(const sockaddr_storage& storage) {
  IpAddress address;
  address.ipv6 = storage.ss_family == AF_INET6;
  if (address.ipv6)
    std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr,
                16);
  else
    std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr, 4);
  return address;
}

bool set(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

// Priority and class are wishes; the rest is needed.
bool configure(int fd, bool ipv6) {
  set(fd, SOL_SOCKET, SO_PRIORITY, kPriority);
  set(fd, ipv6 ? IPPROTO_IPV6 : IPPROTO_IP, ipv6 ? IPV6_TCLASS : IP_TOS, kTrafficClass);
  const bool free =
      ipv6 ? set(fd, IPPROTO_IPV6, IPV6_FREEBIND, 1) && set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)
           : set(fd, IPPROTO_IP, IP_FREEBIND, 1);
  return free && set(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
}

std::optional<std::chrono::nanoseconds> kernel_time(msghdr& message) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec at{};
    std::memcpy(&at, CMSG_DATA(c), sizeof(at));
    return std::chrono::seconds(at.tv_sec) + std::chrono::nanoseconds(at.tv_nsec);
  }
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<UdpChannel>> UdpChannel::open(const UdpOptions& options) {
  HOTPAIR_ASSERT(options.local.ipv6 == options.peer.ipv6);
  const bool ipv6 = options.local.ipv6;
  FileDescriptor fd(
      socket(ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd || !configure(fd.get(), ipv6)) return fail_errno("cannot open a UDP socket", errno);
  const SocketAddress local = to_socket_address(options.local, options.port);
  if (bind(fd.get(), local.get(), local.size) != 0)
    return fail_errno("cannot use UDP port " + std::to_string(options.port) + " of " +
                          to_text(options.local) + " (see 'ss -ulpn')",
                      errno);
  return std::unique_ptr<UdpChannel>(new UdpChannel(std::move(fd), options));
}

void UdpChannel::receive(const Callback& callback, std::size_t max) {
  for (std::size_t i = 0; i < max && receive_one(callback); ++i) {
  }
}

bool UdpChannel::receive_one(const Callback& callback) {
  sockaddr_storage from{};
  iovec data{buffer_.data(), buffer_.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(timespec))> control{};
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof(from);
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got = recvmsg(socket_.get(), &message, MSG_DONTWAIT);
  // An error that waited in the socket (an ICMP answer) is taken by reading; the next may be data.
  if (got < 0) return errno == ECONNREFUSED || errno == EHOSTUNREACH || errno == ENETUNREACH;
  if (!(from_socket_address(from) == options_.peer)) {
    ++counters_.foreign;
  } else if ((message.msg_flags & MSG_TRUNC) != 0) {
    ++counters_.truncated;
  } else {
    ++counters_.received;
    const auto at = kernel_time(message);
    callback(Bytes(buffer_).first(static_cast<std::size_t>(got)),
             at ? mapper_.to_instant(*at) : now());
  }
  return true;
}

bool UdpChannel::send(Bytes payload) const {
  const SocketAddress peer = to_socket_address(options_.peer, options_.port);
  return sendto(socket_.get(), payload.data(), payload.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                peer.get(), peer.size) == static_cast<ssize_t>(payload.size());
}

}  // namespace hotpair::sys
