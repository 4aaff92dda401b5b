// One thread that does, in order, what may block: writing state to disk, changing addresses,
// opening and closing captures. The main loop hands it work and gets the outcome back in its own
// thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "platform/linux/event_loop.hpp"

namespace hotpair::daemon {

class Worker {
 public:
  // `priority`: SCHED_FIFO where permitted; 0: none.
  Worker(sys::EventLoop& loop, std::string name, int priority);
  ~Worker();  // finishes what was handed over
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void run(std::function<void()> work);

  // Runs `work` in the thread, then `done(result)` in the main loop.
  template <typename Work, typename Done>
  void run(Work work, Done done) {
    run([this, work = std::move(work), done = std::move(done)]() mutable {
      auto result = work();
      loop_.post([done = std::move(done), result = std::move(result)]() mutable { done(result); });
    });
  }

 private:
  void serve(const std::string& name, int priority);

  sys::EventLoop& loop_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace hotpair::daemon
