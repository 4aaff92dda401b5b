#include "agent/daemon/worker.hpp"

#include "platform/linux/scheduling.hpp"

namespace hotpair::daemon {

Worker::Worker(sys::EventLoop& loop, std::string name, int priority)
    : loop_(loop), thread_([this, name = std::move(name), priority] { serve(name, priority); }) {}

Worker::~Worker() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void Worker::run(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
  }
  wake_.notify_one();
}

void Worker::serve(const std::string& name, int priority) {
  sys::set_thread_name(name);
  if (priority > 0) (void)sys::set_realtime_priority(priority);
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    auto work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
    work = nullptr;  // what it owns is released here, not under the lock
    lock.lock();
  }
}

}  // namespace hotpair::daemon
