#include "platform/linux/listen_socket.hpp"

#include <cerrno>
#include <charconv>

#include <netinet/in.h>
#include <sys/socket.h>

#include "platform/linux/socket_address.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::sys {
namespace {

constexpr int kBacklog = 32;
constexpr std::size_t kLongestPath = 107;  // sun_path, unix(7)

void set(int fd, int level, int option) {
  const int on = 1;
  (void)::setsockopt(fd, level, option, &on, sizeof on);
}

std::optional<ListenAddress> parse_tcp(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = parse_ip(host);
  if (!address || address->ipv6 != bracketed) return std::nullopt;
  std::uint16_t port = 0;
  const char* end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, port);
  if (error != std::errc{} || at != end || port == 0) return std::nullopt;
  return ListenAddress{{}, *address, port};
}

}  // namespace

std::optional<ListenAddress> parse_listen_address(std::string_view text) {
  if (!text.starts_with('/')) return parse_tcp(text);
  const bool good = text.size() <= kLongestPath && !text.ends_with('/') &&
                    text.find('\0') == std::string_view::npos;
  return good ? std::optional(ListenAddress{std::string(text)}) : std::nullopt;
}

std::string to_text(const ListenAddress& at) {
  if (at.is_unix()) return at.path;
  const std::string host = to_text(at.address);
  return (at.address.ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(at.port);
}

Result<ListenSocket> ListenSocket::open(const ListenAddress& at) {
  ListenSocket out;
  if (at.is_unix()) {
    auto listener = UnixListener::listen(at.path, UnixKind::stream);
    if (!listener) return fail(listener.error());
    out.unix_.emplace(std::move(listener).value());
    return out;
  }
  const int family = at.address.ipv6 ? AF_INET6 : AF_INET;
  out.tcp_.reset(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!out.tcp_) return fail_errno("cannot open a TCP socket", errno);
  set(out.tcp_.get(), SOL_SOCKET, SO_REUSEADDR);
  set(out.tcp_.get(), IPPROTO_IP, IP_FREEBIND);  // of IPv6 sockets too, ip(7)
  if (at.address.ipv6) set(out.tcp_.get(), IPPROTO_IPV6, IPV6_V6ONLY);
  const SocketAddress address = to_socket_address(at.address, at.port);
  if (::bind(out.tcp_.get(), address.get(), address.size) != 0 ||
      ::listen(out.tcp_.get(), kBacklog) != 0)
    return fail_errno("cannot listen on " + to_text(at), errno);
  return out;
}

FileDescriptor ListenSocket::accept() {
  if (unix_) {
    auto socket = unix_->accept();
    return socket ? std::move(*socket).take() : FileDescriptor();
  }
  return FileDescriptor(::accept4(tcp_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

}  // namespace hotpair::sys
