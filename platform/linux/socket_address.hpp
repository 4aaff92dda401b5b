// The kernel's form of an IP address and a port. Source: ip(7), ipv6(7).
#pragma once

#include <cstdint>

#include <sys/socket.h>

#include "platform/linux/ip_address.hpp"

namespace hotpair::sys {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress to_socket_address(const IpAddress& address, std::uint16_t port);

}  // namespace hotpair::sys
