// The kernel's neighbours (ARP, neighbour discovery). Sources: rtnetlink(7), linux/neighbour.h.
#pragma once

#include <span>
#include <vector>

#include "platform/base/result.hpp"
#include "platform/base/time.hpp"
#include "platform/linux/ip_address.hpp"

namespace hotpair::sys {

// Deletes the neighbours of these devices that were asked for and have not answered. While the
// kernel waits for an answer it asks only once a second (retrans_time), so a neighbour that was
// asked while a cable was out would stay unreachable for up to a second after all is well again;
// without an entry the next packet asks at once. Opens a socket of its own; neighbours that
// answered are left alone.
Status forget_unresolved_neighbours(std::span<const int> ifindexes, Duration timeout = 200ms);

struct Neighbour {
  int ifindex = 0;
  IpAddress address;
  MacAddress mac{};
};

// Those of these devices whose MAC address the kernel knows and may use: reachable ones and stale
// ones. At most `most`. Opens a socket of its own.
Result<std::vector<Neighbour>> list_neighbours(std::span<const int> ifindexes, std::size_t most,
                                               Duration timeout = 200ms);

}  // namespace hotpair::sys
