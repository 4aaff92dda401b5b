#include "tools/bench/kernel/race.hpp"

#include <atomic>
#include <thread>

#include "dataplane/conntrack/sink.hpp"
#include "platform/linux/clock.hpp"
#include "tools/bench/synthetic_sessions.hpp"

namespace hotpair::bench::kernel {
namespace {

constexpr Duration kStep = 5ms;
constexpr Duration kReadyAtMost = 20s;
constexpr Duration kPatience = 5s;  // without one more arrival the rest is given up
constexpr Duration kRest = 300ms;   // of the replicator's CPU time, for acknowledgements
constexpr std::uint32_t kTimeout = 3600;
constexpr std::uint32_t kBatch = 64;

// Makes the sessions in a thread of its own, as traffic would: nothing waits for the replicator.
class Maker {
 public:
  Maker(const TwoBoxes& boxes, const Load& load)
      : thread_([this, &boxes, load] { outcome_ = make(boxes, load); }) {}
  ~Maker() { join(); }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  std::uint32_t made() const { return made_; }
  bool done() const { return done_; }
  const Status& outcome() const { return outcome_; }

 private:
  Status make(const TwoBoxes& boxes, const Load& load) {
    const Inside inside(boxes, 0);
    auto sink = conntrack::Sink::open();
    if (!sink.ok()) return done_ = true, fail(sink.error());
    const Instant began = sys::now();
    for (std::uint32_t number = 0; number < load.sessions; ++number) {
      (*sink)->upsert(synthetic_session(number, kTimeout), kTimeout, true);
      if (number % kBatch != kBatch - 1) continue;
      (*sink)->flush();
      made_ = number + 1;
      if (load.rate == 0) continue;
      const Instant due = began + Duration(1s) * (number + 1) / load.rate;
      std::this_thread::sleep_for(due - sys::now());
    }
    (*sink)->flush();
    made_ = load.sessions;
    done_ = true;
    if ((*sink)->counters().failed == 0) return Ok{};
    return fail_with(
        "the kernel refused sessions; raise it: sysctl -w "
        "net.netfilter.nf_conntrack_max=" +
        std::to_string(3 * load.sessions));
  }

  std::atomic<std::uint32_t> made_{0};
  std::atomic<bool> done_{false};
  Status outcome_ = Ok{};
  std::thread thread_;
};

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

}  // namespace

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
  maker.join();
  if (!maker.outcome().ok()) return fail(maker.outcome().error());
  if (Status rested = rest(replicator, kRest); !rested.ok()) return fail(rested.error());
  out.cpu_seconds = replicator.cpu_seconds() - cpu_before;
  return out;
}

}  // namespace hotpair::bench::kernel
