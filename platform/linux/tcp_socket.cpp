#include "platform/linux/tcp_socket.hpp"

#include <algorithm>
#include <cerrno>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "platform/linux/system_error.hpp"

namespace hotpair::sys {
namespace {

constexpr int kBacklog = 16;

sockaddr_in to_sockaddr(const TcpEndpoint& endpoint) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  std::copy_n(endpoint.address.bytes.begin(), 4,
              reinterpret_cast<std::uint8_t*>(&address.sin_addr.s_addr));
  return address;
}

std::string named(const TcpEndpoint& endpoint) {
  return to_text(endpoint.address) + " port " + std::to_string(endpoint.port) + " over " +
         endpoint.device;
}

void set(int fd, int level, int option, int value) {
  (void)::setsockopt(fd, level, option, &value, sizeof value);
}

// A dead peer is noticed also where nothing is sent.
void notice_silence(int fd) {
  set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 5);
  set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 2);
  set(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
  set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 10'000);
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
}

Result<FileDescriptor> open_on(const std::string& device) {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return fail_errno("cannot open a TCP socket", errno);
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_BINDTODEVICE, device.data(),
                   static_cast<socklen_t>(device.size())) != 0)
    return fail_errno("cannot bind a TCP socket to " + device, errno);
  return socket;
}

}  // namespace

Result<FileDescriptor> tcp_listen(const TcpEndpoint& local) {
  auto socket = open_on(local.device);
  if (!socket) return socket;
  set(socket->get(), SOL_SOCKET, SO_REUSEADDR, 1);
  set(socket->get(), IPPROTO_IP, IP_FREEBIND, 1);
  const sockaddr_in address = to_sockaddr(local);
  if (::bind(socket->get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(socket->get(), kBacklog) != 0)
    return fail_errno("cannot listen on " + named(local), errno);
  return socket;
}

Result<FileDescriptor> tcp_connect(const TcpEndpoint& remote, Duration timeout) {
  auto socket = open_on(remote.device);
  if (!socket) return socket;
  const sockaddr_in address = to_sockaddr(remote);
  const auto failed = [&](int error) { return fail_errno("cannot reach " + named(remote), error); };
  if (::connect(socket->get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      errno != EINPROGRESS)
    return failed(errno);
  pollfd waited{socket->get(), POLLOUT, 0};
  if (::poll(&waited, 1, static_cast<int>(to_ms(timeout))) <= 0) return failed(ETIMEDOUT);
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(socket->get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
    return failed(error);
  notice_silence(socket->get());
  return socket;
}

FileDescriptor tcp_accept(int listener, const IpAddress& peer) {
  sockaddr_in from{};
  socklen_t size = sizeof from;
  FileDescriptor socket(
      ::accept4(listener, reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket) return socket;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&from.sin_addr.s_addr);
  if (!std::equal(bytes, bytes + 4, peer.bytes.begin())) return {};
  notice_silence(socket.get());
  return socket;
}

}  // namespace hotpair::sys
