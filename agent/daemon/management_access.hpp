// Each node's services through the management address that follows the primary, as a companion:
// keeps our own nftables table as the configuration wants it, whoever flushes the ruleset.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "agent/core/management_ports.hpp"
#include "agent/daemon/companion.hpp"
#include "platform/base/log.hpp"
#include "platform/linux/loop_thread.hpp"
#include "platform/linux/nftables_watch.hpp"

namespace hotpair::daemon {

class ManagementAccess final : public Companion {
 public:
  ManagementAccess(std::string run_dir, Log log);
  ~ManagementAccess() override;

  void configure(const config::Config& config, const NodePlan& plan) override;
  void follow(const PairView&) override {}
  void add_status(nlohmann::json& status) const override;
  std::vector<std::string> warnings() const override;

 private:
  struct Outcome {
    Status loaded = Ok{};
    bool device_ready = true;  // false: the cluster network's device is yet to come
  };
  void apply();  // in the thread, as what follows
  Outcome load(const std::string& ruleset, bool to_peer);
  void watch();
  void on_change();
  void apply_at(Instant at);

  std::string run_dir_;
  Log log_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  agent::ManagementPorts ports_;
  std::string wanted_;   // the ruleset; empty: none
  std::string problem_;  // why it is not in force
  // The thread's own.
  std::optional<sys::NftablesWatch> watch_;
  sys::TimerId timer_ = 0;
  bool settling_ = false;
  std::unique_ptr<sys::LoopThread> thread_;
};

// The table of this agent or of one before it, when `run_dir` says that there is one.
Status remove_management_access(const std::string& run_dir);

}  // namespace hotpair::daemon
