#include "agent/daemon/health_json.hpp"

namespace hotpair::daemon {

nlohmann::json health_json(const agent::HealthVector& health) {
  return {{"forced", agent::to_string(health.forced)},
          {"bandwidth_gbps", static_cast<double>(health.bandwidth_mbps) / 1000.0},
          {"good_lags", health.good_lags},
          {"management_link", health.management_link},
          {"failed_modules", health.failed_modules},
          {"uptime_s", health.uptime_s},
          {"priority", health.priority}};
}

}  // namespace hotpair::daemon
