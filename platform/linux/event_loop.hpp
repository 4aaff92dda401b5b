// One thread's event loop over epoll, with one absolute timerfd, an eventfd for other threads and a
// signalfd. It promises an order: in every turn all ready descriptors are handled before the
// deadline callback and the timers run, so a frame that waits to be read is read before a silence
// is declared.
//
// Callbacks must be bounded (read at most so many frames and return: epoll is level-triggered and
// calls again). add/modify/remove/set_deadline/call_at/stop may be called from callbacks; a
// descriptor that was removed in this turn is not called any more. Other threads may call post()
// only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <sys/epoll.h>

#include "platform/base/result.hpp"
#include "platform/base/time.hpp"

namespace hotpair::sys {

using TimerId = std::uint64_t;  // 0 is never used

class EventLoop {
 public:
  using Callback =
      std::function<void(std::uint32_t events)>;  // EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP

  static Result<std::unique_ptr<EventLoop>> create();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // The loop does not own `fd`: remove it before closing it.
  Status add(int fd, std::uint32_t events, Callback callback);
  Status modify(int fd, std::uint32_t events);
  void remove(int fd);  // of an unknown fd: nothing happens

  // The one deadline of the loop's owner. A deadline in the past fires in the next turn; it fires
  // once and is then none.
  void on_deadline(std::function<void()> callback);
  void set_deadline(std::optional<Instant> at);

  // The next turn is at `at` at the latest, and nothing is called for that: for an owner who
  // watches that the loop turns, and says it anew after each.
  void wake_by(Instant at);

  // Further one-shot timers, for shells (timeouts, retries).
  TimerId call_at(Instant at, std::function<void()> callback);
  void cancel(TimerId timer);  // of one that has fired: nothing happens

  // Blocks the signals in the calling thread (call before other threads start) and delivers them
  // here.
  Status on_signals(const std::vector<int>& signals, std::function<void(int)> callback);
  void on_tick(std::function<void()> callback);  // after every wake-up, before anything else

  // Runs `work` in the loop's thread, in order; from any thread.
  void post(std::function<void()> work);

  void run();   // until stop()
  void stop();  // the present turn is finished first
  // One turn: waits at most `timeout` (nullopt: until something happens). False once stop() was
  // called.
  bool run_once(std::optional<Duration> timeout);

 private:
  struct State;
  explicit EventLoop(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace hotpair::sys
