// How long after a session is new in one box's kernel it is in the other's.
#pragma once

#include "tools/bench/kernel/replicator.hpp"
#include "tools/bench/sync/measures.hpp"

namespace hotpair::bench::kernel {

struct LatencyLoad {
  std::uint32_t rate = 10'000;  // new sessions a second, one by one
  Duration time = 3s;
  std::uint32_t first = 0;  // number of the first synthetic session: none of them exists yet
};

struct Latency {
  sync::Latencies times;
  std::uint64_t sessions = 0;  // made; what is missing in `times` did not arrive
};

// The replicator is ready. Each time is taken from before the first kernel is told until the second
// one's event was read.
Result<Latency> measure_latency(const TwoBoxes& boxes, Replicator& replicator,
                                const LatencyLoad& load);

}  // namespace hotpair::bench::kernel
