#include "agent/daemon/cluster_network.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;

constexpr std::uint64_t kBytesInMbit = 1'000'000 / 8;

json addresses_json(const agent::ClusterAddress& address) {
  sys::IpAddress v4, v6;
  std::copy(address.ipv4.begin(), address.ipv4.end(), v4.bytes.begin());
  v6.ipv6 = true;
  v6.bytes = address.ipv6;
  return {
      {"mac", sys::to_text(address.mac)}, {"ipv4", sys::to_text(v4)}, {"ipv6", sys::to_text(v6)}};
}

}  // namespace

void ClusterNetwork::configure(const config::Config& config, const NodePlan& plan) {
  const config::ClusterNetwork& wanted = config.cluster.cluster_network;
  const auto group = static_cast<std::uint16_t>(config.cluster.group_id);
  own_ = agent::cluster_address(group, plan.node.self);
  peers_ = agent::cluster_address(group, agent::other(plan.node.self));
  rate_mbps_ = wanted.rate_mbps;
  const std::uint64_t rate = static_cast<std::uint64_t>(wanted.rate_mbps) * kBytesInMbit;
  if (!wanted.enabled) return tunnel_.reset();
  if (tunnel_) return tunnel_->set_rate(rate);
  auto started = Tunnel::start({plan.node.self, group, plan.heartbeats, rate, log_});
  if (!started) {
    log_.warning("cluster-network-failed", started.error().message);
    return;
  }
  tunnel_ = std::move(started).value();
  keys_generation_.reset();
  follow_keys();
  tunnel_->use_path(pair_.cluster_path);
}

void ClusterNetwork::follow(const PairView& pair) {
  if (pair.cluster_path != pair_.cluster_path) ++path_changes_;
  pair_ = pair;
  if (!tunnel_) return;
  follow_keys();
  tunnel_->use_path(pair.cluster_path);
}

void ClusterNetwork::follow_keys() {
  if (keys_generation_ == pair_.keys_generation) return;
  keys_generation_ = pair_.keys_generation;
  tunnel_->use_keys(association_.with(
      [](auto& association) { return association.channel(agent::kClusterNetworkPurpose); }));
}

void ClusterNetwork::add_status(json& status) const {
  json& out = status["cluster_network"];
  out = {{"enabled", tunnel_ != nullptr}, {"device", kClusterDevice}};
  if (!tunnel_) return;
  const Tunnel::View view = tunnel_->view();
  out["up"] = view.up;
  out["mtu"] = view.mtu;
  out["rate_mbps"] = rate_mbps_;
  out["local"] = addresses_json(own_);
  out["peer"] = addresses_json(peers_);
  out["path"] = pair_.cluster_path ? json(*pair_.cluster_path) : json(nullptr);
  out["path_changes"] = path_changes_;
  out["sent"] = {{"frames", view.frames_sent}, {"bytes", view.bytes_sent}};
  out["received"] = {{"frames", view.frames_received}, {"bytes", view.bytes_received}};
  out["dropped"] = json::object();
  for (const auto& [reason, times] : view.dropped) out["dropped"][reason] = times;
}

std::vector<std::string> ClusterNetwork::warnings() const {
  if (!tunnel_) return {};
  const Tunnel::View view = tunnel_->view();
  std::vector<std::string> list;
  if (!view.up && !view.problem.empty())
    list.push_back("the cluster network is not there: " + view.problem);
  if (view.mtu < agent::kIpv6MinMtu)
    list.push_back("a heartbeat interface has an MTU so small that the cluster network (MTU " +
                   std::to_string(view.mtu) + ") carries no IPv6; 1374 is the least for it");
  return list;
}

}  // namespace hotpair::daemon
