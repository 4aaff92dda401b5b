// Short TCP connections that cross one box's connection tracking, from SYN to the end of the entry:
// what each costs whoever carries them, and the box itself.
#pragma once

#include <array>
#include <cstdint>

#include "platform/base/time.hpp"
#include "tools/bench/kernel/replicator.hpp"

namespace hotpair::bench::kernel {

struct ConnectionLoad {
  std::uint32_t rate = 4'000;  // a second
  std::uint32_t seconds = 4;
};

struct ConnectionCosts {
  std::uint64_t connections = 0;
  // CPU of the two ends of the replicator, and of the thread that sends the packets, which makes
  // the events too, in microseconds a connection.
  std::array<double, 2> end_us{};
  double traffic_us = 0;
  double bytes = 0, frames = 0;  // over the cable, both ways
  // Entries of the last second, which were left there: of the first box, and of the second.
  std::array<std::uint64_t, 2> left{};
};

// CPU of the sending thread alone; nobody replicates.
Result<double> traffic_alone(const TwoBoxes& boxes, const ConnectionLoad& load);

// The replicator is ready.
Result<ConnectionCosts> measure_connections(const TwoBoxes& boxes, Replicator& replicator,
                                            const ConnectionLoad& load);

}  // namespace hotpair::bench::kernel
