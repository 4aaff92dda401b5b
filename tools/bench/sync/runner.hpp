// Runs the measurement that the options describe: one end or both, each in a thread of its own.
#pragma once

#include "platform/base/result.hpp"
#include "tools/bench/sync/measures.hpp"
#include "tools/bench/sync/options.hpp"

namespace hotpair::bench::sync {

// The error says why nothing could be measured; what went wrong on the way is in the result.
Result<Outcome> run(const Options& options);

}  // namespace hotpair::bench::sync
