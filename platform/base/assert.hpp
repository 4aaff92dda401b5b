// HOTPAIR_ASSERT states what this program itself guarantees. It stays on in release builds and ends
// the process: systemd restarts it and the peer takes over. It is never reachable from input
// (frames, peers, files, the kernel, operators): the same bad frame reaches both nodes, and a pair
// that asserts together is an outage. HOTPAIR_DASSERT is for per-packet loops: debug builds only.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace hotpair {

[[noreturn]] inline void assertion_failed(const char* what, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, what);
  std::abort();
}

}  // namespace hotpair

#define HOTPAIR_ASSERT(condition) \
  ((condition) ? void(0) : ::hotpair::assertion_failed(#condition, __FILE__, __LINE__))

#ifdef NDEBUG
#define HOTPAIR_DASSERT(condition) void(0)
#else
#define HOTPAIR_DASSERT(condition) HOTPAIR_ASSERT(condition)
#endif
