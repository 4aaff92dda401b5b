// The one place that reads clocks. Instants are CLOCK_MONOTONIC nanoseconds; wall time is for
// people.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "platform/base/time.hpp"

namespace hotpair::sys {

Instant now();
// What the calling thread has used so far, the kernel's work for it included; the same however busy
// the box is otherwise.
Duration cpu_time();

// "2026-03-01T12:00:00.123Z"
std::string wall_clock_text();

// Nanoseconds since 1970 (CLOCK_REALTIME), as in a kernel receive timestamp.
std::chrono::nanoseconds wall_clock();

// Turns kernel receive timestamps, which the kernel takes from the wall clock, into Instants that
// are never later than now. Remembers the distance between the two clocks, so a wall clock that was
// set between reception and reading (NTP step) makes no frame look old. Not shared between threads.
class WallClockMapper {
 public:
  Instant to_instant(std::chrono::nanoseconds wall);

  // The rule itself, for tests: the smallest age that either distance allows, none below zero.
  static Duration age(std::chrono::nanoseconds wall_now, std::chrono::nanoseconds wall_then,
                      Duration step_since_last);

 private:
  std::optional<Duration> distance_;  // wall clock minus monotonic clock, as last seen
};

}  // namespace hotpair::sys
