// Keeps the link between the two agents true to the configuration and the association's keys.
#pragma once

#include <memory>

#include "agent/daemon/companion.hpp"
#include "agent/daemon/peer_listener.hpp"
#include "agent/daemon/shared_association.hpp"

namespace hotpair::daemon {

class PeerCompanion final : public Companion {
 public:
  PeerCompanion(std::shared_ptr<PeerLink> link, SharedAssociation& association, Folders folders,
                Log log)
      : link_(std::move(link)),
        association_(association),
        folders_(std::move(folders)),
        log_(std::move(log)) {}

  void configure(const config::Config& config, const NodePlan& plan) override;
  void follow(const PairView& pair) override;
  void add_status(nlohmann::json& status) const override;

 private:
  std::shared_ptr<PeerLink> link_;
  SharedAssociation& association_;
  Folders folders_;
  Log log_;
  std::unique_ptr<PeerListener> listener_;
  std::optional<std::uint32_t> keys_generation_;
};

}  // namespace hotpair::daemon
