// A thread that does nothing but run an event loop: for what must not be in anybody else's way.
// What lives in the loop is made, used and ended by work that is posted to it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "platform/base/result.hpp"
#include "platform/linux/event_loop.hpp"

namespace hotpair::sys {

class LoopThread {
 public:
  static Result<std::unique_ptr<LoopThread>> start(const std::string& name);
  ~LoopThread();  // ends it
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  EventLoop& loop() { return *loop_; }  // for work in the thread; from outside only post()
  void post(std::function<void()> work) { loop_->post(std::move(work)); }
  // What was posted before is done first. Whoever owns this through a pointer that the work uses
  // ends it before the pointer goes; again: nothing happens.
  void end();

 private:
  explicit LoopThread(std::unique_ptr<EventLoop> loop) : loop_(std::move(loop)) {}
  std::unique_ptr<EventLoop> loop_;
  std::thread thread_;
};

}  // namespace hotpair::sys
