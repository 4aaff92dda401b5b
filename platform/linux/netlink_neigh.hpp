// The kernel's neighbours (ARP, neighbour discovery). Sources: rtnetlink(7), linux/neighbour.h.
#pragma once

#include <span>

#include "platform/base/result.hpp"
#include "platform/base/time.hpp"

namespace hotpair::sys {

// Deletes the neighbours of these devices that were asked for and have not answered. While the
// kernel waits for an answer it asks only once a second (retrans_time), so a neighbour that was
// asked while a cable was out would stay unreachable for up to a second after all is well again;
// without an entry the next packet asks at once. Opens a socket of its own; neighbours that
// answered are left alone.
Status forget_unresolved_neighbours(std::span<const int> ifindexes, Duration timeout = 200ms);

}  // namespace hotpair::sys
