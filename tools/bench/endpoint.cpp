#include "tools/bench/endpoint.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include "platform/linux/scheduling.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::bench {
namespace {

void set_flag(int fd, int level, int option) {
  const int on = 1;
  (void)setsockopt(fd, level, option, &on, sizeof on);
}

}  // namespace

Result<Endpoint> parse_endpoint(const std::string& address, std::uint16_t port) {
  Endpoint endpoint;
  sockaddr_in ipv4{};
  sockaddr_in6 ipv6{};
  if (inet_pton(AF_INET, address.c_str(), &ipv4.sin_addr) == 1) {
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = htons(port);
    std::memcpy(&endpoint.storage, &ipv4, sizeof ipv4);
    endpoint.size = sizeof ipv4;
    return endpoint;
  }
  if (inet_pton(AF_INET6, address.c_str(), &ipv6.sin6_addr) == 1) {
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = htons(port);
    std::memcpy(&endpoint.storage, &ipv6, sizeof ipv6);
    endpoint.size = sizeof ipv6;
    return endpoint;
  }
  return fail_with("'" + address + "' is not an IPv4 or IPv6 address");
}

Result<sys::FileDescriptor> open_socket(const Endpoint& endpoint, int type) {
  sys::FileDescriptor fd(
      socket(endpoint.storage.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return sys::fail_errno("cannot open a socket", errno);
  if (endpoint.ipv6()) set_flag(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY);
  if (type == SOCK_STREAM) set_flag(fd.get(), IPPROTO_TCP, TCP_NODELAY);
  return fd;
}

Result<sys::FileDescriptor> open_bound_socket(const Endpoint& endpoint, int type) {
  Result<sys::FileDescriptor> fd = open_socket(endpoint, type);
  if (!fd) return fd;
  set_flag(fd->get(), SOL_SOCKET, SO_REUSEADDR);
  if (bind(fd->get(), endpoint.address(), endpoint.size) != 0)
    return sys::fail_errno("cannot listen there; another program may hold the port (see: ss -lnp)",
                           errno);
  return fd;
}

void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

void measure_in_real_time(const char* subcommand) {
  constexpr int kPriority = 1;
  if (Status realtime = sys::set_realtime_priority(kPriority); !realtime)
    std::fprintf(stderr, "hotpair-bench %s: measuring without real-time priority: %s\n", subcommand,
                 realtime.error().message.c_str());
}

}  // namespace hotpair::bench
