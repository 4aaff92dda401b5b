// How often this agent has changed its role, and how long the phases of takeovers and of giving
// back took, as histograms, since it started. A value with its JSON, for `status` and the metrics.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "agent/core/action.hpp"

namespace hotpair::daemon {

// Upper bounds: a takeover is some milliseconds, its longest phase is bounded by two seconds.
constexpr std::array<Duration, 12> kPhaseBounds = {500us, 1ms,   2ms,   5ms,   10ms, 20ms,
                                                   50ms,  100ms, 250ms, 500ms, 1s,   2500ms};

class TransitionCounts {
 public:
  void note(const agent::ReportRoleChange& change);
  void note(const agent::ReportTransaction& transaction);

  // {"role_changes": [{"to", "kind", "count"}],
  //  "takeover": times, "giving_back": times, "phases": {name: times}}
  // times: {"count", "failed", "sum_seconds", "buckets": [{"le": seconds, "count": no longer}]}
  nlohmann::json to_json() const;

 private:
  struct Times {
    std::array<std::uint64_t, kPhaseBounds.size()> no_longer{};  // as kPhaseBounds
    std::uint64_t count = 0, failed = 0;
    Duration sum{};
    void add(Duration took, bool ok);
    nlohmann::json to_json() const;
  };

  std::map<std::pair<std::string, std::string>, std::uint64_t> changes_;  // to, kind
  Times takeover_, giving_back_;
  std::map<std::string, Times> phases_;  // the core's stages: a handful
};

}  // namespace hotpair::daemon
