// One rtnetlink message of any content: a link, a route, a neighbour, or none; never read past its
// end.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "platform/linux/netlink_link_parse.hpp"
#include "platform/linux/netlink_route_parse.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < sizeof(nlmsghdr)) return 0;
  // A copy of exactly that size, aligned as netlink's are; the socket has checked the length.
  void* const copy = std::malloc(size);
  if (copy == nullptr) return 0;
  std::memcpy(copy, data, size);
  auto& message = *static_cast<nlmsghdr*>(copy);
  message.nlmsg_len = static_cast<std::uint32_t>(size);
  hotpair::sys::RoutesLeftOut left_out;
  switch (message.nlmsg_type) {
    case RTM_NEWROUTE:
      (void)hotpair::sys::parse_route(
          message, [](auto, auto) { return true; }, left_out);
      break;
    case RTM_NEWNEIGH:
      (void)hotpair::sys::parse_kernel_neighbour(message);
      break;
    default:
      (void)hotpair::sys::parse_link(message);
  }
  std::free(copy);
  return 0;
}
