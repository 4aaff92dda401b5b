// One run under random faults. The seed decides the configuration, which kinds of fault there are
// at all (swarm testing: some are switched off entirely), when they strike, and how the cables
// behave.
#pragma once

#include <string>

#include "platform/base/time.hpp"
#include "tests/sim/facts.hpp"

namespace hotpair::simulation {

class StepObserver;  // box.hpp

struct RunResult {
  std::string violation;  // empty: all held
  std::string story;
  Facts facts;
  unsigned takeovers = 0;
  Duration longest_takeover{};
};

RunResult run_seed(std::uint64_t seed, bool verbose, StepObserver* observer = nullptr);

}  // namespace hotpair::simulation
