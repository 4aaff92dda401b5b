// The wardens as the processes that they are: this program is what they are started from.
#include <csignal>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include "agent/daemon/warden_process.hpp"
#include "agent/daemon/warden_watch.hpp"
#include "platform/linux/clock.hpp"

namespace hotpair::daemon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Before main(), as gtest's would run the tests.
[[gnu::constructor]] void serve_as_warden(int argc, char** argv) {
  if (is_warden(argc, argv)) ::_exit(be_warden());
}

TEST(WardenPaceTest, TheFirstDeathIsAnsweredAtOnceAndOnesThatGoOnEverLater) {
  WardenPace pace;
  Instant now{1h};
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 9; ++i) {
    const Instant next = pace.next(now);
    waits.push_back(to_ms(next - now));
    now = next + 1ms;
  }
  EXPECT_THAT(waits, ElementsAre(0, 100, 200, 400, 800, 1600, 3200, 6400, 10000));
  EXPECT_EQ(pace.next(now + kWardenForgiven), now + kWardenForgiven)
      << "one that lived is forgiven";
}

class WardensTest : public testing::Test {
 protected:
  void open(const std::string& program = "/proc/self/exe") {
    warden_ = std::move(Warden::create(program)).value();
    watch_ = std::make_unique<WardenWatch>(WardenWatch::Needs{*loop_, disk_, *warden_, log_});
  }

  template <typename Condition>
  ::testing::AssertionResult comes(Condition condition) {
    for (const Instant end = sys::now() + 20s; sys::now() < end; loop_->run_once(5ms))
      if (condition()) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << "not within 20 s: " << watch_->to_json();
  }
  void await_deaths() {
    for (std::size_t slot = 0; slot < kWardens; ++slot) {
      pollfd waited{warden_->process(slot).pidfd.get(), POLLIN, 0};
      ASSERT_EQ(::poll(&waited, 1, 20'000), 1);
    }
  }
  std::vector<int> pids() const { return watch_->to_json()["pids"]; }
  std::uint64_t replaced() const { return watch_->to_json()["replaced"]; }

  // As for a main loop that stands still from now on: nobody ticks.
  void expect_fencing() {
    warden_->arm({}, 20ms);
    EXPECT_TRUE(comes([this] { return warden_->was_fenced(); }));
    EXPECT_FALSE(warden_->was_fenced()) << "one fencing is told once";
  }

  std::unique_ptr<sys::EventLoop> loop_ = std::move(sys::EventLoop::create()).value();
  Worker disk_{*loop_, "disk", 0};
  std::vector<std::string> events_;
  Log log_{[this](const LogRecord& record) { events_.push_back(record.event); }};
  std::unique_ptr<Warden> warden_;
  std::unique_ptr<WardenWatch> watch_;
};

TEST_F(WardensTest, AMainLoopThatStandsStillIsFencedAsOftenAsItDoes) {
  open();
  EXPECT_EQ(pids().size(), kWardens);
  EXPECT_THAT(watch_->warnings(), IsEmpty());
  expect_fencing();
  expect_fencing();
}

TEST_F(WardensTest, NobodyIsFencedWhoHoldsNothing) {
  open();
  warden_->arm({}, 20ms);
  warden_->disarm();
  for (const Instant end = sys::now() + 100ms; sys::now() < end;) loop_->run_once(5ms);
  EXPECT_FALSE(warden_->was_fenced());
}

TEST_F(WardensTest, OneIsEnoughWhileTheOtherIsDead) {
  open();
  ::kill(pids().front(), SIGKILL);
  warden_->arm({}, 20ms);
  // The loop, which would replace it, does not turn.
  const auto fenced = [this] { return warden_->was_fenced(); };
  for (const Instant end = sys::now() + 20s; sys::now() < end && !fenced();) ::usleep(1000);
  EXPECT_EQ(replaced(), 0u);
  expect_fencing();
}

TEST_F(WardensTest, WhoDiesIsReplacedAndTheNewOneGuardsWhatWasArmedBefore) {
  open();
  const auto first = pids();
  warden_->arm({}, 1h);
  ::kill(first[0], SIGKILL);
  ASSERT_TRUE(comes([this] { return pids().size() < kWardens; }));
  EXPECT_THAT(watch_->warnings(), ElementsAre(HasSubstr("1 of 2 wardens is missing")));
  ASSERT_TRUE(comes([this] { return replaced() == 1; }));
  ::kill(first[1], SIGKILL);
  ASSERT_TRUE(comes([this] { return replaced() == 2; }));
  EXPECT_THAT(watch_->warnings(), IsEmpty());
  EXPECT_THAT(pids(), testing::Not(testing::Contains(testing::AnyOfArray(first))));
  EXPECT_THAT(events_,
              ElementsAre("warden-dead", "warden-replaced", "warden-dead", "warden-replaced"));
  warden_->set_detection(20ms);
  EXPECT_TRUE(comes([this] { return warden_->was_fenced(); }));
}

TEST_F(WardensTest, BothAtOnceAreReplacedToo) {
  open();
  for (const int pid : pids()) ::kill(pid, SIGKILL);
  await_deaths();  // so that the loop learns of both in one turn
  ASSERT_TRUE(comes([this] { return pids().empty(); }));
  EXPECT_THAT(watch_->warnings(), ElementsAre(HasSubstr("no warden is there")));
  ASSERT_TRUE(comes([this] { return replaced() == 2; }));
  expect_fencing();
}

TEST_F(WardensTest, WhatDoesNotStartIsSaidOnceAndTriedUntilItDoes) {
  const std::string program =
      testing::TempDir() + "hotpair-warden-program-" + std::to_string(::getpid());
  open(program);
  for (const Instant end = sys::now() + 400ms; sys::now() < end;) loop_->run_once(20ms);
  EXPECT_THAT(pids(), IsEmpty());
  EXPECT_THAT(events_, ElementsAre("warden-failed"));
  EXPECT_THAT(watch_->warnings(), ElementsAre(HasSubstr("cannot start a warden from " + program)));
  std::filesystem::create_symlink(std::filesystem::read_symlink("/proc/self/exe"), program);
  EXPECT_TRUE(comes([this] { return pids().size() == kWardens; }));
  EXPECT_THAT(watch_->warnings(), IsEmpty());
  std::filesystem::remove(program);
}

TEST_F(WardensTest, AProgramThatEndsAtOnceIsStartedEverLater) {
  open("/bin/true");
  ASSERT_TRUE(comes([this] { return replaced() >= 4; }));
  const auto deaths = std::count(events_.begin(), events_.end(), "warden-dead");
  for (const Instant end = sys::now() + 300ms; sys::now() < end;) loop_->run_once(20ms);
  EXPECT_LE(std::count(events_.begin(), events_.end(), "warden-dead"), deaths + 4);
}

}  // namespace
}  // namespace hotpair::daemon
