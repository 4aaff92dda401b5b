// A network namespace of a test's own: the body runs in a thread that has left the machine's
// network behind, so tests need no names, clean up nothing and do not meet each other.
#pragma once

#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <sched.h>

namespace hotpair::test {

inline bool run_command(const std::string& command) {
  return std::system(("(" + command + ") >/dev/null 2>&1").c_str()) == 0;
}

// Calls `body` in a fresh namespace; false (and no call) when the rights for that are missing.
inline bool in_network_namespace(const std::function<void()>& body) {
  bool entered = false;
  std::thread thread([&] {
    entered = unshare(CLONE_NEWNET) == 0 && run_command("ip link set lo up");
    if (entered) body();
  });
  thread.join();
  return entered;
}

}  // namespace hotpair::test

// A test whose body runs in a namespace of its own.
#define HOTPAIR_NETWORK_TEST(suite, name)                                                    \
  static void suite##_##name##_body();                                                       \
  TEST(suite, name) {                                                                        \
    if (!hotpair::test::in_network_namespace(suite##_##name##_body))                         \
      GTEST_SKIP() << "needs the right to make a network namespace, and ip: run it as root"; \
  }                                                                                          \
  static void suite##_##name##_body()
