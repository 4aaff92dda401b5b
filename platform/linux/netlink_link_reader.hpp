// Asks the kernel for single devices. The kernel may tell of a carrier up to a second late
// (net/core/link_watch.c holds events back that follow one another), but who asks is told at once.
// Each question waits for the kernel's lock for all devices: not for a loop that must not wait.
#pragma once

#include <span>
#include <vector>

#include "platform/linux/netlink_link.hpp"
#include "platform/linux/netlink_socket.hpp"

namespace hotpair::sys {

class LinkReader {
 public:
  static Result<LinkReader> open();

  // Those that exist; one that cannot be read is left out. The speed is not in it.
  std::vector<LinkInfo> read(std::span<const int> ifindexes);

 private:
  explicit LinkReader(NetlinkSocket socket) : socket_(std::move(socket)) {}
  NetlinkSocket socket_;
};

}  // namespace hotpair::sys
