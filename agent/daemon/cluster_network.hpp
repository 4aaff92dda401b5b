// The cluster network as a companion: keeps the tunnel's keys, path and rate true, and says in the
// status how it fares. The device lives from the first configuration that wants it to the end of
// the agent or a configuration that does not.
#pragma once

#include <memory>
#include <optional>

#include "agent/daemon/companion.hpp"
#include "agent/daemon/shared_association.hpp"
#include "agent/daemon/tunnel.hpp"

namespace hotpair::daemon {

class ClusterNetwork final : public Companion {
 public:
  ClusterNetwork(SharedAssociation& association, Log log) : association_(association), log_(log) {}

  void configure(const config::Config& config, const NodePlan& plan) override;
  void follow(const PairView& pair) override;
  void add_status(nlohmann::json& status) const override;
  std::vector<std::string> warnings() const override;

 private:
  void follow_keys();

  SharedAssociation& association_;
  Log log_;
  std::unique_ptr<Tunnel> tunnel_;  // null: switched off
  agent::ClusterAddress own_, peers_;
  int rate_mbps_ = 0;
  PairView pair_;
  std::optional<std::uint32_t> keys_generation_;
  std::uint64_t path_changes_ = 0;
};

}  // namespace hotpair::daemon
