// One measurement: new sessions appear in one box's kernel and are awaited in the other's.
#pragma once

#include <cstdint>
#include <functional>

#include "platform/base/time.hpp"
#include "tools/bench/kernel/maker.hpp"
#include "tools/bench/kernel/replicator.hpp"

namespace hotpair::bench::kernel {

struct Outcome {
  std::uint64_t sessions = 0, arrived = 0;
  double seconds = 0;  // from the first one's making to the last one's arrival
  double making_seconds = 0;
  double cpu_seconds = 0;  // both ends of the replicator, in that time and until it rested
  double rate() const { return seconds > 0 ? static_cast<double>(arrived) / seconds : 0; }
  double cpu_us() const {
    return arrived > 0 ? cpu_seconds * 1e6 / static_cast<double>(arrived) : 0;
  }
  std::uint64_t missing() const { return sessions - arrived; }
};

using Progress = std::function<void(std::uint64_t made, std::uint64_t arrived)>;

Status await_ready(Replicator& replicator);
// Lets it work and nothing else happen.
Status rest(Replicator& replicator, Duration time);

Result<Outcome> race(const TwoBoxes& boxes, Replicator& replicator, const Load& load,
                     const Progress& progress);

}  // namespace hotpair::bench::kernel
