// Sessions of one box's kernel that begin, change and end all the time, in a thread of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

#include "tools/bench/kernel/two_boxes.hpp"

namespace hotpair::bench::kernel {

class Churn {
 public:
  struct Load {
    std::uint32_t sessions = 50'000;  // at most at once; about two thirds of them live
    std::uint32_t rate = 10'000;      // changes a second
    std::uint64_t seed = 1;
  };

  // `boxes` outlives it. Begins at once, in box 0.
  Churn(const TwoBoxes& boxes, const Load& load)
      : thread_([this, &boxes, load] { outcome_ = run(boxes, load); }) {}
  Churn(const Churn&) = delete;
  Churn& operator=(const Churn&) = delete;
  ~Churn() { (void)end(); }

  std::uint64_t changes() const { return changes_; }
  Status end();  // how it went

 private:
  Status run(const TwoBoxes& boxes, const Load& load);

  std::atomic<bool> over_{false};
  std::atomic<std::uint64_t> changes_{0};
  Status outcome_ = Ok{};
  std::thread thread_;
};

}  // namespace hotpair::bench::kernel
