// The same engine at both ends.
#pragma once

#include "dataplane/core/engine.hpp"
#include "platform/linux/huge_pages.hpp"
#include "tools/bench/sync/options.hpp"

namespace hotpair::bench::sync {

inline dataplane::EngineConfig engine_config(const Options& options, std::uint64_t end) {
  dataplane::EngineConfig config;
  config.max_sessions = options.sessions + options.sessions / 8 + 4096;
  config.seed = options.seed + end;
  config.pickup.enabled = true;
  config.closing_hold = Duration{0};  // every change made is to be a delta
  config.advise = sys::take_huge_pages;
  return config;
}

}  // namespace hotpair::bench::sync
