// RTM_NEWLINK as a LinkInfo; pure, the seam for tests. netlink_link.hpp is what others use.
#pragma once

#include <optional>

#include "platform/linux/netlink_link.hpp"

struct nlmsghdr;

namespace hotpair::sys {

// None when the message is malformed or not a link of its own (bridge port notices). The speed is
// left open: it is not in the message.
std::optional<LinkInfo> parse_link(nlmsghdr& message);

}  // namespace hotpair::sys
