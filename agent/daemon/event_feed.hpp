// A second reader of the log: a copy of every record goes to whoever follows.
#pragma once

#include <functional>
#include <mutex>

#include "platform/base/log.hpp"

namespace hotpair::daemon {

class EventFeed {
 public:
  // Called in the thread that logs: it must not wait, and must not log.
  using Follower = std::function<void(const LogRecord&)>;

  // Empty: nobody. Whoever followed before is not called any more once this returns.
  void follow(Follower follower) {
    const std::lock_guard lock(mutex_);
    follower_ = std::move(follower);
  }
  void pass(const LogRecord& record) {  // from any thread
    const std::lock_guard lock(mutex_);
    if (follower_) follower_(record);
  }

 private:
  std::mutex mutex_;
  Follower follower_;
};

}  // namespace hotpair::daemon
