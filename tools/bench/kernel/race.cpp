#include "tools/bench/kernel/race.hpp"

#include <thread>

#include "platform/linux/clock.hpp"

namespace hotpair::bench::kernel {
namespace {

constexpr Duration kStep = 5ms;
constexpr Duration kReadyAtMost = 20s;
constexpr Duration kPatience = 5s;  // without one more arrival the rest is given up
constexpr Duration kRest = 300ms;   // of the replicator's CPU time, for acknowledgements

}  // namespace

Status await_ready(Replicator& replicator) {
  const Instant until = sys::now() + kReadyAtMost;
  while (!replicator.ready()) {
    if (Status working = replicator.work(); !working.ok()) return working;
    if (sys::now() > until) return fail_with("it was not ready to carry sessions in time");
    std::this_thread::sleep_for(kStep);
  }
  return Ok{};
}

Status rest(Replicator& replicator, Duration time) {
  for (const Instant until = sys::now() + time; sys::now() < until;) {
    if (Status working = replicator.work(); !working.ok()) return working;
    std::this_thread::sleep_for(kStep);
  }
  return Ok{};
}

Result<Outcome> race(const TwoBoxes& boxes, Replicator& replicator, const Load& load,
                     const Progress& progress) {
  if (Status ready = await_ready(replicator); !ready.ok()) return fail(ready.error());
  if (Status rested = rest(replicator, 1s); !rested.ok()) return fail(rested.error());
  const double cpu_before = replicator.cpu_seconds();
  const std::uint64_t before = boxes.tracked(1);
  Outcome out;
  out.sessions = load.sessions;
  const Instant began = sys::now();
  Instant last = began;
  Maker maker(boxes, load);
  while (out.arrived < load.sessions && sys::now() - last < kPatience) {
    if (Status working = replicator.work(); !working.ok()) return fail(working.error());
    const std::uint64_t there = boxes.tracked(1) - before;
    const Instant now = sys::now();
    if (there > out.arrived || !maker.done()) last = now;
    if (maker.done() && out.making_seconds == 0) out.making_seconds = to_seconds(now - began);
    if (there > out.arrived) out.seconds = to_seconds(now - began);
    out.arrived = there;
    progress(maker.made(), there);
    std::this_thread::sleep_for(kStep);
  }
  if (Status made = maker.join(); !made.ok()) return fail(made.error());
  if (Status rested = rest(replicator, kRest); !rested.ok()) return fail(rested.error());
  out.cpu_seconds = replicator.cpu_seconds() - cpu_before;
  return out;
}

}  // namespace hotpair::bench::kernel
