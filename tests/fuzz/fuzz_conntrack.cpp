// One ctnetlink message of any content: parsed in place or named as what it is, never read past its
// end.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "dataplane/conntrack/source.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy of exactly that size, aligned as netlink's are, so that the sanitizer sees every
  // overrun.
  void* copy = std::malloc(size ? size : 1);
  if (copy == nullptr) return 0;
  std::memcpy(copy, data, size);
  hotpair::dataplane::Session session;
  (void)hotpair::conntrack::parse_message(copy, size, session);
  std::free(copy);
  return 0;
}
