// What /metrics answers: the two daemons' status as OpenMetrics. Pure, and nothing is measured
// here: each number is one that `hotpair status --json` has. What is not known (yet) has no sample.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace hotpair::daemon {

// The answers of the control sockets; null: there was none. Keys that are missing, or of another
// type, are passed over.
struct Seen {
  nlohmann::json agent, dataplane;
};

std::string metrics_text(const Seen& seen);

}  // namespace hotpair::daemon
