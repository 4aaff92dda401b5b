// Virtual time: what is to happen, in order. Two things at one instant happen in the order they
// were planned, so a run is repeated exactly by its seed.
#pragma once

#include <algorithm>
#include <functional>
#include <vector>

#include "platform/base/time.hpp"

namespace hotpair::simulation {

class Timeline {
 public:
  Instant now() const { return now_; }
  void at(Instant when, std::function<void()> what) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(plans_.size()));
      plans_.emplace_back();
    }
    plans_[free_.back()] = std::move(what);
    queue_.push_back({std::max(when, now_), planned_++, free_.back()});
    free_.pop_back();
    std::push_heap(queue_.begin(), queue_.end());
  }
  void after(Duration delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }

  void run_until(Instant end) {
    while (!queue_.empty() && queue_.front().when <= end) {
      std::pop_heap(queue_.begin(), queue_.end());
      const Due next = queue_.back();
      queue_.pop_back();
      now_ = next.when;
      const std::function<void()> what = std::exchange(plans_[next.plan], nullptr);
      free_.push_back(next.plan);
      what();
    }
    now_ = end;
  }

 private:
  struct Due {
    Instant when;
    std::uint64_t order;
    std::uint32_t plan;  // its place in plans_
    bool operator<(const Due& b) const { return when != b.when ? when > b.when : order > b.order; }
  };
  // Not at zero: a machine's monotonic clock has been running for a while.
  Instant now_{Duration(1000s)};
  std::uint64_t planned_ = 0;
  std::vector<Due> queue_;  // a heap
  std::vector<std::function<void()>> plans_;
  std::vector<std::uint32_t> free_;
};

}  // namespace hotpair::simulation
