// What the service manager is told, and the pace at which it starts again what cannot start.
#include "platform/linux/sd_notify.hpp"

#include <csignal>
#include <cstdlib>

#include <gtest/gtest.h>

#include "platform/linux/clock.hpp"

namespace hotpair::sys {
namespace {

constexpr Duration kAtOnce = std::chrono::seconds(1);

TEST(PauseBeforeRestart, IsNoneWhereNobodyStartsTheProgramAgain) {
  ::unsetenv("NOTIFY_SOCKET");
  const Instant began = now();
  pause_before_restart();
  EXPECT_LT(now() - began, kAtOnce);
}

// As a child: the signals stay blocked.
TEST(PauseBeforeRestartDeathTest, EndsWhenTheServiceIsToldToStop) {
  ::setenv("NOTIFY_SOCKET", "/nowhere", 1);
  const auto stopped_while_it_pauses = [] {
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGTERM);
    (void)pthread_sigmask(SIG_BLOCK, &held, nullptr);
    (void)std::raise(SIGTERM);
    const Instant began = now();
    pause_before_restart();
    std::exit(now() - began < kAtOnce ? 0 : 1);
  };
  EXPECT_EXIT(stopped_while_it_pauses(), testing::ExitedWithCode(0), "");
  ::unsetenv("NOTIFY_SOCKET");
}

TEST(PauseBeforeRestart, KeepsWhatCannotStartFromBeingTriedEveryMoment) {
  ::setenv("NOTIFY_SOCKET", "/nowhere", 1);
  const Instant began = now();
  const auto pause = [] {
    pause_before_restart();
    std::exit(0);
  };
  EXPECT_EXIT(pause(), testing::ExitedWithCode(0), "");
  EXPECT_GE(now() - began, std::chrono::milliseconds(1900));
  ::unsetenv("NOTIFY_SOCKET");
}

}  // namespace
}  // namespace hotpair::sys
