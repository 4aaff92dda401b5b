#include "platform/linux/clock.hpp"

#include <algorithm>
#include <cstdio>
#include <ctime>

namespace hotpair::sys {
namespace {

std::chrono::nanoseconds read_clock(clockid_t clock) {
  timespec t{};
  clock_gettime(clock, &t);
  return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
}

}  // namespace

Instant now() {
  return Instant(read_clock(CLOCK_MONOTONIC));
}

Duration cpu_time() {
  return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

std::chrono::nanoseconds wall_clock() {
  return read_clock(CLOCK_REALTIME);
}

std::string wall_clock_text() {
  timespec t{};
  clock_gettime(CLOCK_REALTIME, &t);
  std::tm utc{};
  gmtime_r(&t.tv_sec, &utc);
  char date[32];
  std::strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
  char text[48];
  std::snprintf(text, sizeof(text), "%s.%03ldZ", date, t.tv_nsec / 1'000'000);
  return text;
}

Duration WallClockMapper::age(std::chrono::nanoseconds wall_now, std::chrono::nanoseconds wall_then,
                              Duration step_since_last) {
  const Duration by_new = wall_now - wall_then;
  const Duration by_old = by_new - step_since_last;  // as if the wall clock had not been set
  if (by_new < Duration::zero()) return std::max(by_old, Duration::zero());
  if (by_old < Duration::zero()) return by_new;
  return std::min(by_new, by_old);
}

Instant WallClockMapper::to_instant(std::chrono::nanoseconds wall) {
  const Instant at = now();
  const std::chrono::nanoseconds wall_now = wall_clock();
  const Duration distance = wall_now - at.time_since_epoch();
  const Duration step = distance - distance_.value_or(distance);
  distance_ = distance;
  return at - age(wall_now, wall, step);
}

}  // namespace hotpair::sys
