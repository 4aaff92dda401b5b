// One route or neighbour of an rtnetlink message, and the message of one.
#pragma once

#include "platform/linux/netlink_route.hpp"

namespace hotpair::sys {

// None: `wanted` does not take it, or it is counted in `left_out`.
std::optional<KernelRoute> parse_route(
    nlmsghdr& message,
    const std::function<bool(std::uint8_t protocol, std::uint32_t table)>& wanted,
    RoutesLeftOut& left_out);
std::optional<KernelNeighbour> parse_kernel_neighbour(nlmsghdr& message);

NetlinkMessage route_message(const RouteChange& change);

}  // namespace hotpair::sys
