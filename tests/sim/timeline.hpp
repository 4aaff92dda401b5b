// Virtual time: what is to happen, in order. Two things at one instant happen in the order they
// were planned, so a run is repeated exactly by its seed.
#pragma once

#include <functional>
#include <queue>
#include <vector>

#include "platform/base/time.hpp"

namespace hotpair::simulation {

class Timeline {
 public:
  Instant now() const { return now_; }
  void at(Instant when, std::function<void()> what) {
    queue_.push({std::max(when, now_), planned_++, std::move(what)});
  }
  void after(Duration delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }

  void run_until(Instant end) {
    while (!queue_.empty() && queue_.top().when <= end) {
      Planned next = std::move(const_cast<Planned&>(queue_.top()));
      queue_.pop();
      now_ = next.when;
      next.what();
    }
    now_ = end;
  }

 private:
  struct Planned {
    Instant when;
    std::uint64_t order;
    std::function<void()> what;
    bool operator<(const Planned& b) const {
      return when != b.when ? when > b.when : order > b.order;
    }
  };
  // Not at zero: a machine's monotonic clock has been running for a while.
  Instant now_{Duration(1000s)};
  std::uint64_t planned_ = 0;
  std::priority_queue<Planned> queue_;
};

}  // namespace hotpair::simulation
