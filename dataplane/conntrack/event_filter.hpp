// What is not to be replicated, dropped in the kernel: a socket filter that looks at each conntrack
// event before it is queued for us, so that it is neither copied, nor waited for, nor takes room
// that another event needs. Other listeners of the same events are not affected.
//
// The filter drops only what judge() would not carry, by protocol, prefix, assured or not, and this
// box's loopback. It passes whatever it cannot read, and expectations; what passes is judged again.
#pragma once

#include <vector>

#include <linux/filter.h>

#include "dataplane/core/pickup_filter.hpp"

namespace hotpair::conntrack {

// A classic BPF program over one netlink message. Of very many prefixes only the first are in it
// (some 250 of IPv4): the kernel takes no longer program.
std::vector<sock_filter> event_filter(const dataplane::PickupOptions& options);

}  // namespace hotpair::conntrack
