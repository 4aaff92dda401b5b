// How long the main loop may rest after a turn: not at all while more waits, briefly while there is
// traffic (so that changes gather into frames), and long when nothing happens. What a port cannot
// announce is looked for every millisecond; where it can, the rest is longer and ends at once.
// Pure.
#pragma once

#include <algorithm>
#include <optional>

#include "dataplane/dpdk/replica.hpp"
#include "platform/base/time.hpp"

namespace hotpair::dpdk {

class Idling {
 public:
  static constexpr Duration kShort = 200us;  // adds half of it to the lag under traffic
  static constexpr Duration kBlind =
      1ms;  // how late a frame is looked at when nothing happened before
  static constexpr Duration kLong = 25ms;  // what is due earlier is a deadline
  static constexpr int kBlindShorts =
      25;  // short rests before a blind one, for there may be more to come

  struct Rest {
    Duration length{};
    bool wake = false;  // by kernel events and frames; else they gather
  };
  // `announced`: every port wakes us; none must be looked at.
  Rest after(Effort effort, std::optional<Duration> until_deadline, bool announced) {
    if (effort != Effort::none) shorts_left_ = announced ? 1 : kBlindShorts;
    if (effort == Effort::saturated) return {};
    const bool is_long = shorts_left_ == 0;
    if (!is_long) --shorts_left_;
    Duration length = !is_long ? kShort : announced ? kLong : kBlind;
    if (until_deadline) length = std::clamp(*until_deadline, Duration{}, length);
    return {length, is_long};
  }

 private:
  int shorts_left_ = 0;
};

}  // namespace hotpair::dpdk
