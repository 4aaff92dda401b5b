// What is served over HTTP to those who watch: /metrics and the web page, as configured (neither by
// default). A companion whose thread, without priority, is one more client of the daemons' control
// sockets: what it costs the main loop is one `status` for all who ask within kFresh. Without a
// client it sleeps; without a configured endpoint there is no thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/daemon/companion.hpp"
#include "platform/base/log.hpp"

namespace hotpair::daemon {

class HttpService;

class HttpEndpoints final : public Companion {
 public:
  HttpEndpoints(std::string run_dir, Log log);
  ~HttpEndpoints() override;

  void configure(const config::Config& config, const NodePlan& plan) override;
  void follow(const PairView&) override {}
  std::vector<std::string> warnings() const override;

 private:
  std::string run_dir_;
  Log log_;
  std::unique_ptr<HttpService> service_;  // from the first configuration that wants one
};

}  // namespace hotpair::daemon
