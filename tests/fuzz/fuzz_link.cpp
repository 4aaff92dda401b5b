// One RTM_NEWLINK message of any content: a link or none, never read past its end.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include <linux/netlink.h>

#include "platform/linux/netlink_link_parse.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < sizeof(nlmsghdr)) return 0;
  // A copy of exactly that size, aligned as netlink's are; the socket has checked the length.
  void* const copy = std::malloc(size);
  if (copy == nullptr) return 0;
  std::memcpy(copy, data, size);
  auto& message = *static_cast<nlmsghdr*>(copy);
  message.nlmsg_len = static_cast<std::uint32_t>(size);
  (void)hotpair::sys::parse_link(message);
  std::free(copy);
  return 0;
}
