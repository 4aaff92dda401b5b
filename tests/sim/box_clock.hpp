// The clocks of one simulated box. Its monotonic clock has a zero of its own and runs a little
// faster or slower than the world's; its wall clock, from which the kernel takes receive
// timestamps, may be set at any moment.
#pragma once

#include <algorithm>

#include "platform/base/time.hpp"
#include "platform/linux/clock.hpp"

namespace hotpair::simulation {

class BoxClock {
 public:
  explicit BoxClock(Instant world) : world_zero_(world), local_zero_(world) {}

  Instant local(Instant world) const {
    return local_zero_ + scaled(world - world_zero_, kMillion + ppm_, kMillion);
  }
  // The first moment of the world at which this clock shows `local`.
  Instant world(Instant local) const {
    return world_zero_ + scaled(local - local_zero_, kMillion, kMillion + ppm_) +
           (ppm_ == 0 ? 0ns : 1ns);
  }
  Duration world(Duration local) const { return scaled(local, kMillion, kMillion + ppm_); }

  // --- what happens to it
  void drift(Instant world, std::int64_t ppm) {
    rebase(world, local(world));
    ppm_ = ppm;
  }
  void leap(Instant world, Duration ahead) { rebase(world, local(world) + ahead); }
  void restart(Instant world) { rebase(world, kAfterBoot); }
  void set_wall(Duration by) { wall_offset_ += by; }

  // --- kernel receive timestamps, and what the shell makes of one
  Duration stamp(Instant world) const { return local(world).time_since_epoch() + wall_offset_; }
  Instant heard_at(Instant world, Duration stamp_then) {
    const Duration set = wall_offset_ - wall_offset_seen_;
    wall_offset_seen_ = wall_offset_;
    return local(world) - sys::WallClockMapper::age(stamp(world), stamp_then, set);
  }

 private:
  static constexpr std::int64_t kMillion = 1'000'000;
  static constexpr Instant kAfterBoot{Duration(20s)};

  static Duration scaled(Duration d, std::int64_t by, std::int64_t of) {
    if (by == of) return d;
    return d / of * by + d % of * by / of;
  }
  void rebase(Instant world, Instant local) {
    world_zero_ = world;
    local_zero_ = local;
  }

  Instant world_zero_, local_zero_;
  std::int64_t ppm_ = 0;
  Duration wall_offset_{}, wall_offset_seen_{};
};

}  // namespace hotpair::simulation
