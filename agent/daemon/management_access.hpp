// Each node's services through the management address that follows the primary, as a companion:
// keeps our own nftables table as the configuration wants it, whoever flushes the ruleset.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "agent/core/management_ports.hpp"
#include "agent/daemon/companion.hpp"
#include "platform/base/log.hpp"
#include "platform/linux/file_descriptor.hpp"
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
  void serve();
  void wait();
  void apply(const std::string& ruleset);
  bool uses_cluster_network() const;

  std::string run_dir_;
  Log log_;
  sys::FileDescriptor wake_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  agent::ManagementPorts ports_;
  std::string wanted_;                       // the ruleset; empty: none
  std::string problem_;                      // why it is not in force
  bool device_ready_ = true;                 // false: the cluster network's device is yet to come
  bool due_ = false;                         // it is to be loaded, again perhaps
  std::optional<sys::NftablesWatch> watch_;  // the thread's own
  std::thread thread_;
};

// The table of this agent or of one before it, when `run_dir` says that there is one.
Status remove_management_access(const std::string& run_dir);

}  // namespace hotpair::daemon
