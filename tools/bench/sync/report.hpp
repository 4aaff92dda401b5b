// What the measurement found, for people, programs and pictures.
#pragma once

#include <string>

#include "tools/bench/sync/measures.hpp"
#include "tools/bench/sync/options.hpp"

namespace hotpair::bench::sync {

std::string to_table(const Options& options, const Outcome& result);
std::string to_json(const Options& options, const Outcome& result);
// A page with nothing to load: figures, and plots of rate, latency and lag over time (SVG).
std::string to_html(const Options& options, const Outcome& result);

}  // namespace hotpair::bench::sync
