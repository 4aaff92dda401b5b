// How late heartbeats come on one path: the time between two that follow each other, beyond the
// interval. One that leaves off the beat (a change) comes early and counts as nothing; after a
// loss the counting starts anew, as losses are counted elsewhere.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "platform/base/time.hpp"

namespace hotpair::agent {

class BeatJitter {
 public:
  static constexpr Duration kWindow = 10s;

  void heard(std::uint64_t sequence, Instant at, Duration interval) {
    if (last_ && sequence == sequence_ + 1) note(at - *last_ - interval, at, interval);
    sequence_ = sequence;
    last_ = at;
  }

  Duration max() const { return max_; }  // since the start
  // Of the last 10 to 20 s.
  Duration recent_max(Instant now) const {
    if (now - window_began_ > 2 * kWindow) return Duration::zero();
    return now - window_began_ > kWindow ? in_window_ : std::max(in_window_, before_);
  }
  std::uint64_t late() const { return late_; }  // later than half an interval

 private:
  void note(Duration lateness, Instant at, Duration interval) {
    if (at - window_began_ > kWindow) {
      before_ = at - window_began_ > 2 * kWindow ? Duration::zero() : in_window_;
      in_window_ = Duration::zero();
      window_began_ = at;
    }
    max_ = std::max(max_, lateness);
    in_window_ = std::max(in_window_, lateness);
    if (lateness > interval / 2) ++late_;
  }

  std::uint64_t sequence_ = 0;
  std::optional<Instant> last_;
  Duration max_{}, in_window_{}, before_{};
  Instant window_began_{};
  std::uint64_t late_ = 0;
};

}  // namespace hotpair::agent
