// Socket addresses and the sockets of the bench: non-blocking, close-on-exec.
#pragma once

#include <cstdint>
#include <string>

#include <sys/socket.h>

#include "platform/base/result.hpp"
#include "platform/linux/file_descriptor.hpp"

namespace hotpair::bench {

struct Endpoint {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&storage); }
  bool ipv6() const { return storage.ss_family == AF_INET6; }
  int family() const { return ipv6() ? 6 : 4; }
};

// A literal IPv4 or IPv6 address; names are not resolved.
Result<Endpoint> parse_endpoint(const std::string& address, std::uint16_t port);

// `type` is SOCK_STREAM or SOCK_DGRAM; an IPv6 socket serves IPv6 alone.
Result<sys::FileDescriptor> open_socket(const Endpoint& endpoint, int type);
Result<sys::FileDescriptor> open_bound_socket(const Endpoint& endpoint, int type);

// As many open files as the system allows; connections need one each.
void raise_file_limit();

// Above ordinary programs, below the daemons it measures: both ends of a measurement must not wait
// for the CPU. Where it is not permitted, says so and goes on.
void measure_in_real_time(const char* subcommand);

}  // namespace hotpair::bench
