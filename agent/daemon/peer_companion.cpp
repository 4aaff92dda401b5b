#include "agent/daemon/peer_companion.hpp"

namespace hotpair::daemon {

void PeerCompanion::configure(const config::Config& config, const NodePlan& plan) {
  link_->set_addresses(static_cast<std::uint16_t>(config.cluster.group_id), plan.node.self);
  link_->enabled = config.cluster.cluster_network.enabled;
  link_->exec_allowed = config.node.peer_exec;
  if (listener_) return;
  auto started = PeerListener::start(link_, folders_, log_);
  if (started)
    listener_ = std::move(started).value();
  else
    log_.warning("peer-listen-failed", started.error().message);
}

void PeerCompanion::follow(const PairView& pair) {
  if (keys_generation_ == pair.keys_generation) return;
  keys_generation_ = pair.keys_generation;
  link_->keys.set(
      association_.with([](auto& association) { return association.channel(kPeerLinkPurpose); }));
}

void PeerCompanion::add_status(nlohmann::json& status) const {
  status["peer_exec"] = link_->exec_allowed.load();
}

}  // namespace hotpair::daemon
