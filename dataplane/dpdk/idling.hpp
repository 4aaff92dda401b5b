// How long the main loop may rest after a turn: not at all while more waits, briefly while there is traffic (so
// that changes gather into frames), and up to a millisecond when nothing happens. Pure.
#pragma once

#include <algorithm>
#include <optional>

#include "dataplane/dpdk/replica.hpp"
#include "platform/base/time.hpp"

namespace hotpair::dpdk {

class Idling {
 public:
  static constexpr Duration kShort = 200us;  // adds half of it to the lag under traffic
  static constexpr Duration kLong = 1ms;     // how late a frame is looked at when nothing happened before
  static constexpr int kQuietTurns = 25;     // of short rests, before the long ones

  struct Rest {
    Duration length{};
    bool wake_on_event = false;              // a kernel event ends it; else events gather
  };
  Rest after(Effort effort, std::optional<Duration> until_deadline) {
    if (effort != Effort::none) quiet_ = 0;
    if (effort == Effort::saturated) return {};
    const bool is_long = quiet_ >= kQuietTurns;
    if (!is_long) ++quiet_;
    Duration length = is_long ? kLong : kShort;
    if (until_deadline) length = std::clamp(*until_deadline, Duration{}, length);
    return {length, is_long};
  }

 private:
  int quiet_ = 0;
};

}  // namespace hotpair::dpdk
