#include "dataplane/conntrack/ctnetlink_socket.hpp"

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include <linux/netlink.h>
#include <sys/socket.h>

#include "platform/linux/system_error.hpp"

namespace hotpair::conntrack {

namespace {

void set_receive_buffer(int fd, int bytes) {
  // SO_RCVBUFFORCE passes net.core.rmem_max and needs CAP_NET_ADMIN in the initial user namespace.
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

int receive_buffer(int fd) {
  int bytes = 0;
  socklen_t size = sizeof bytes;
  if (getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, &size) != 0) return 0;
  return bytes;
}

}  // namespace

Result<CtnetlinkSocket> CtnetlinkSocket::open(int receive_buffer_bytes) {
  sys::FileDescriptor fd(
      socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER));
  if (!fd) return sys::fail_errno("cannot open a ctnetlink socket", errno);
  set_receive_buffer(fd.get(), receive_buffer_bytes);
  const int on = 1;
  (void)setsockopt(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);

  sockaddr_nl local{};
  local.nl_family = AF_NETLINK;
  const auto* address = static_cast<const sockaddr*>(static_cast<const void*>(&local));
  if (bind(fd.get(), address, sizeof local) != 0)
    return sys::fail_errno("cannot bind a ctnetlink socket", errno);

  CtnetlinkSocket out(std::move(fd));
  out.granted_bytes_ = receive_buffer(out.fd());
  return out;
}

Status CtnetlinkSocket::join(unsigned group) {
  if (setsockopt(fd(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0)
    return sys::fail_errno("cannot subscribe to conntrack events", errno);
  return Ok{};
}

void CtnetlinkSocket::leave(unsigned group) {
  (void)setsockopt(fd(), SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, &group, sizeof group);
}

Status CtnetlinkSocket::filter(const std::vector<sock_filter>& program) {
  std::vector<sock_filter> copy = program;  // the kernel's interface takes no const
  const sock_fprog attached{static_cast<unsigned short>(copy.size()), copy.data()};
  if (setsockopt(fd(), SOL_SOCKET, SO_ATTACH_FILTER, &attached, sizeof attached) != 0)
    return sys::fail_errno("cannot filter conntrack events in the kernel", errno);
  return Ok{};
}

Status CtnetlinkSocket::send(Bytes requests) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  const auto* address = static_cast<const sockaddr*>(static_cast<const void*>(&kernel));
  for (;;) {
    const ssize_t sent = sendto(fd(), requests.data(), requests.size(), 0, address, sizeof kernel);
    if (sent >= 0) return Ok{};
    if (errno != EINTR) return sys::fail_errno("the kernel takes no conntrack requests", errno);
  }
}

CtnetlinkSocket::Received CtnetlinkSocket::receive(MutableBytes buffer, std::size_t& size) {
  for (;;) {
    sockaddr_nl from{};
    iovec part{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    const ssize_t got = recvmsg(fd(), &message, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return Received::nothing;
      return errno == ENOBUFS ? Received::overrun : Received::error;
    }
    if (from.nl_pid != 0) continue;
    if (message.msg_flags & MSG_TRUNC) return Received::error;
    size = static_cast<std::size_t>(got);
    return Received::datagram;
  }
}

void CtnetlinkSocket::discard_waiting() {
  std::array<std::uint8_t, 64> scrap;  // datagrams are cut to it; nobody reads them
  for (;;) {
    const ssize_t got = recv(fd(), scrap.data(), scrap.size(), MSG_DONTWAIT);
    if (got < 0 && errno != EINTR && errno != ENOBUFS) return;
  }
}

}  // namespace hotpair::conntrack
