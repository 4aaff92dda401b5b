// Time as a value. Nothing here reads a clock: instants enter the cores with events, and the only
// clock readers are the shells (see platform/linux/clock.hpp).
//
// An Instant counts nanoseconds of the machine's monotonic clock (CLOCK_MONOTONIC); it is not
// comparable between machines and never goes back. Wall time exists only in log lines and history.
#pragma once

#include <chrono>
#include <cstdint>

namespace hotpair {

// A clock type without now(): the type system, not discipline, keeps clocks out of the cores.
struct MonotonicTime {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = std::chrono::nanoseconds;
  using time_point = std::chrono::time_point<MonotonicTime, duration>;
  static constexpr bool is_steady = true;
};

using Duration = std::chrono::nanoseconds;
using Instant = MonotonicTime::time_point;

using std::chrono_literals::operator""ns;
using std::chrono_literals::operator""us;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""h;

// Whole milliseconds, rounded towards zero; for logs, status and wire fields.
constexpr std::int64_t to_ms(Duration d) {
  return d.count() / 1'000'000;
}
constexpr std::int64_t to_us(Duration d) {
  return d.count() / 1'000;
}
constexpr double to_seconds(Duration d) {
  return static_cast<double>(d.count()) / 1e9;
}

}  // namespace hotpair
