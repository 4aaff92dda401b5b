#include "agent/daemon/http_endpoints.hpp"

#include "agent/daemon/http_service.hpp"

namespace hotpair::daemon {

HttpEndpoints::HttpEndpoints(std::string run_dir, Log log)
    : run_dir_(std::move(run_dir)), log_(std::move(log)) {}

HttpEndpoints::~HttpEndpoints() = default;

void HttpEndpoints::configure(const config::Config& config, const NodePlan&) {
  if (!service_ && !config.node.metrics && !config.node.web) return;
  if (!service_) {
    auto started = HttpService::start(run_dir_, log_);
    if (!started) return log_.warning("http-failed", started.error().message);
    service_ = std::move(started).value();
  }
  service_->serve(config.node);
}

std::vector<std::string> HttpEndpoints::warnings() const {
  return service_ ? service_->problems() : std::vector<std::string>();
}

}  // namespace hotpair::daemon
