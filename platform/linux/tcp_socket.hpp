// TCP over one device only: what arrives by another is not for us, whatever address it names.
#pragma once

#include <cstdint>
#include <string>

#include "platform/base/result.hpp"
#include "platform/base/time.hpp"
#include "platform/linux/file_descriptor.hpp"
#include "platform/linux/ip_address.hpp"

namespace hotpair::sys {

struct TcpEndpoint {
  IpAddress address;  // IPv4
  std::uint16_t port = 0;
  std::string device;
};

// Non-blocking. The address need not be there yet.
Result<FileDescriptor> tcp_listen(const TcpEndpoint& local);
// Waits at most `timeout`. A peer that falls silent in the middle is given up after some 10 s.
Result<FileDescriptor> tcp_connect(const TcpEndpoint& remote, Duration timeout);
// The next connection that comes from `peer`; none: nobody waits, or somebody else did.
FileDescriptor tcp_accept(int listener, const IpAddress& peer);

}  // namespace hotpair::sys
