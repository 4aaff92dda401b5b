// How long the main loop may rest after a turn: not at all while more waits, briefly while there is
// traffic, and long when nothing happens. The primary rests so that changes gather into frames, and
// sleeps through what comes meanwhile; the backup has what gathered brought to it, so a frame ends
// its rest. What a port cannot announce is looked for every millisecond; where it can, the rest is
// longer and ends at once. Pure.
#pragma once

#include <algorithm>
#include <optional>

#include "dataplane/dpdk/replica.hpp"
#include "platform/base/time.hpp"

namespace hotpair::dpdk {

class Idling {
 public:
  // Half of it is the lag under traffic. A turn costs some 15 us, whatever there is to do.
  static constexpr Duration kGather = 500us;
  static constexpr Duration kShort = 200us;  // of a backup that must look at its port
  static constexpr Duration kBlind =
      1ms;  // how late a frame is looked at when nothing happened before
  static constexpr Duration kLong = 25ms;  // what is due earlier is a deadline
  static constexpr int kBlindShorts =
      25;  // short rests before a blind one, for there may be more to come

  struct Circumstances {
    bool announced = false;  // every port wakes us; none must be looked at
    bool gathers = false;    // changes are sent, and not received
  };
  struct Rest {
    Duration length{};
    bool wake = false;  // by kernel events and frames; else they gather
  };
  Rest after(Effort effort, std::optional<Duration> until_deadline, Circumstances here) {
    if (effort != Effort::none) shorts_left_ = here.announced ? 1 : kBlindShorts;
    if (effort == Effort::saturated) return {};
    if (shorts_left_ == 0) return {until(here.announced ? kLong : kBlind, until_deadline), true};
    --shorts_left_;
    if (here.gathers) return {until(kGather, until_deadline), false};
    if (!here.announced) return {until(kShort, until_deadline), false};
    // The next frame ends it, and what is due goes with the answer to that one.
    return {kGather, true};
  }

 private:
  static Duration until(Duration length, std::optional<Duration> deadline) {
    return deadline ? std::clamp(*deadline, Duration{}, length) : length;
  }
  int shorts_left_ = 0;
};

}  // namespace hotpair::dpdk
