#include "platform/linux/event_loop.hpp"

#include <csignal>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "platform/linux/clock.hpp"
#include "platform/linux/file_descriptor.hpp"

namespace hotpair::sys {
namespace {

class EventLoopTest : public testing::Test {
 protected:
  EventLoopTest() : loop_(std::move(*EventLoop::create())) {}

  // A descriptor that becomes readable by poke().
  FileDescriptor make_event() { return FileDescriptor(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)); }
  static void poke(const FileDescriptor& fd) {
    const std::uint64_t one = 1;
    ASSERT_EQ(write(fd.get(), &one, sizeof(one)), 8);
  }
  static void drain(const FileDescriptor& fd) {
    std::uint64_t count = 0;
    (void)!read(fd.get(), &count, sizeof(count));
  }

  std::unique_ptr<EventLoop> loop_;
  std::string story_;
};

TEST_F(EventLoopTest, what_waits_is_read_before_a_silence_is_declared) {
  const FileDescriptor frames = make_event();
  ASSERT_TRUE(loop_
                  ->add(frames.get(), EPOLLIN,
                        [&](std::uint32_t) {
                          drain(frames);
                          story_ += "frame ";
                        })
                  .ok());
  loop_->on_deadline([&] { story_ += "deadline "; });
  loop_->set_deadline(now() - 1s);
  poke(frames);
  loop_->run_once(1s);
  EXPECT_EQ(story_, "frame deadline ");
}

TEST_F(EventLoopTest, even_several_rounds_of_frames_come_before_the_deadline) {
  const FileDescriptor frames = make_event();
  int left = 5;
  ASSERT_TRUE(loop_
                  ->add(frames.get(), EPOLLIN,
                        [&](std::uint32_t) {
                          story_ += "frame ";
                          if (--left == 0) drain(frames);
                        })
                  .ok());
  loop_->on_deadline([&] { story_ += "deadline "; });
  loop_->set_deadline(now());
  poke(frames);
  while (story_.find("deadline") == std::string::npos) loop_->run_once(1s);
  EXPECT_EQ(story_, "frame frame frame frame frame deadline ");
}

TEST_F(EventLoopTest, a_flood_of_frames_does_not_hold_the_deadline_up_for_ever) {
  const FileDescriptor flood = make_event();
  bool reached = false;
  ASSERT_TRUE(loop_->add(flood.get(), EPOLLIN, [](std::uint32_t) {}).ok());
  loop_->on_deadline([&] { reached = true; });
  loop_->set_deadline(now());
  poke(flood);
  loop_->run_once(1s);
  EXPECT_TRUE(reached);
}

TEST_F(EventLoopTest, a_deadline_fires_once_and_not_before_its_time) {
  int fired = 0;
  const Instant at = now() + 5ms;
  loop_->on_deadline([&] {
    ++fired;
    EXPECT_GE(now(), at);
  });
  loop_->set_deadline(at);
  while (fired == 0) loop_->run_once(1s);
  loop_->run_once(5ms);
  EXPECT_EQ(fired, 1);
}

TEST_F(EventLoopTest, a_deadline_taken_back_does_not_fire) {
  bool fired = false;
  loop_->on_deadline([&] { fired = true; });
  loop_->set_deadline(now() + 1ms);
  loop_->run_once(0ms);
  loop_->set_deadline(std::nullopt);
  loop_->run_once(10ms);
  EXPECT_FALSE(fired);
}

TEST_F(EventLoopTest, timers_fire_in_order_of_time_and_may_be_cancelled) {
  const Instant base = now();
  loop_->call_at(base + 2ms, [&] { story_ += "second "; });
  loop_->call_at(base + 1ms, [&] { story_ += "first "; });
  const TimerId third = loop_->call_at(base + 1ms, [&] { story_ += "never "; });
  loop_->cancel(third);
  bool done = false;
  loop_->call_at(base + 3ms, [&] { done = true; });
  while (!done) loop_->run_once(1s);
  EXPECT_EQ(story_, "first second ");
}

TEST_F(EventLoopTest, a_timer_that_makes_a_timer_for_now_does_not_starve_the_loop) {
  int rounds = 0;
  std::function<void()> again = [&] {
    ++rounds;
    loop_->call_at(now(), again);
  };
  loop_->call_at(now(), again);
  loop_->run_once(1s);
  EXPECT_EQ(rounds, 1);
}

TEST_F(EventLoopTest, a_descriptor_removed_in_this_turn_is_not_called_any_more) {
  const FileDescriptor a = make_event(), b = make_event();
  int called = 0;
  auto remove_other = [&](int other) {
    return [this, other, &called](std::uint32_t) {
      ++called;
      loop_->remove(other);
    };
  };
  ASSERT_TRUE(loop_->add(a.get(), EPOLLIN, remove_other(b.get())).ok());
  ASSERT_TRUE(loop_->add(b.get(), EPOLLIN, remove_other(a.get())).ok());
  poke(a);
  poke(b);
  loop_->run_once(1s);
  EXPECT_EQ(called, 1);
}

TEST_F(EventLoopTest, a_number_reused_within_a_turn_gets_no_event_of_its_predecessor) {
  const FileDescriptor a = make_event();
  FileDescriptor b = make_event();
  bool successor_called = false;
  ASSERT_TRUE(
      loop_
          ->add(a.get(), EPOLLIN,
                [&](std::uint32_t) {
                  drain(a);
                  const int number = b.get();
                  loop_->remove(number);
                  b.reset();
                  b = make_event();
                  ASSERT_EQ(b.get(), number);
                  ASSERT_TRUE(
                      loop_->add(number, EPOLLIN, [&](std::uint32_t) { successor_called = true; })
                          .ok());
                })
          .ok());
  ASSERT_TRUE(loop_->add(b.get(), EPOLLIN, [](std::uint32_t) {}).ok());
  poke(a);
  poke(b);
  loop_->run_once(1s);
  loop_->run_once(0ms);
  EXPECT_FALSE(successor_called);
}

TEST_F(EventLoopTest, a_callback_may_remove_itself) {
  const FileDescriptor a = make_event();
  int called = 0;
  ASSERT_TRUE(loop_
                  ->add(a.get(), EPOLLIN,
                        [&](std::uint32_t) {
                          loop_->remove(a.get());
                          ++called;
                        })
                  .ok());
  poke(a);
  loop_->run_once(1s);
  loop_->run_once(0ms);
  EXPECT_EQ(called, 1);
}

TEST_F(EventLoopTest, work_of_another_thread_runs_here_in_order) {
  const auto here = std::this_thread::get_id();
  std::thread other([&] {
    for (int i = 0; i < 3; ++i)
      loop_->post([&, i] {
        EXPECT_EQ(std::this_thread::get_id(), here);
        story_ += std::to_string(i);
      });
    loop_->post([&] { loop_->stop(); });
  });
  loop_->run();
  other.join();
  EXPECT_EQ(story_, "012");
}

TEST_F(EventLoopTest, the_tick_comes_first_at_every_wake_up) {
  const FileDescriptor a = make_event();
  loop_->on_tick([&] { story_ += "tick "; });
  ASSERT_TRUE(loop_
                  ->add(a.get(), EPOLLIN,
                        [&](std::uint32_t) {
                          drain(a);
                          story_ += "frame ";
                        })
                  .ok());
  poke(a);
  loop_->run_once(1s);
  EXPECT_EQ(story_, "tick frame ");
}

TEST_F(EventLoopTest, signals_arrive_as_events) {
  int received = 0;
  ASSERT_TRUE(loop_->on_signals({SIGUSR1}, [&](int signal) { received = signal; }).ok());
  raise(SIGUSR1);
  loop_->run_once(1s);
  EXPECT_EQ(received, SIGUSR1);
}

TEST_F(EventLoopTest, a_descriptor_that_cannot_be_watched_is_an_error_as_a_value) {
  EXPECT_FALSE(loop_->add(-1, EPOLLIN, [](std::uint32_t) {}).ok());
}

}  // namespace
}  // namespace hotpair::sys
