// Route sync as a companion: a thread that hears of the kernel's changes and does what
// agent/core/route_sync finds due.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "agent/daemon/companion.hpp"
#include "agent/daemon/peer_link.hpp"
#include "agent/daemon/route_engine.hpp"

namespace hotpair::daemon {

class RouteSync final : public Companion {
 public:
  RouteSync(std::shared_ptr<PeerLink> link, Log log);
  ~RouteSync() override;

  void configure(const config::Config& config, const NodePlan& plan) override;
  void follow(const PairView& pair) override;
  void add_status(nlohmann::json& status) const override;
  std::vector<std::string> warnings() const override;

 private:
  void serve();
  void wait();

  std::shared_ptr<PeerLink> link_;
  Log log_;
  std::shared_ptr<RouteEngine> engine_;        // none: the kernel's netlink cannot be opened
  std::shared_ptr<sys::FileDescriptor> wake_;  // an eventfd; connections of the peer use it too
  std::atomic<bool> stopping_{false}, enabled_{false};
  bool peer_alive_ = false;
  std::thread thread_;
};

}  // namespace hotpair::daemon
