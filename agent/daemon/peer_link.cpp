#include "agent/daemon/peer_link.hpp"

#include "agent/daemon/tunnel.hpp"

namespace hotpair::daemon {
namespace {

constexpr Duration kConnect = 2s;

sys::TcpEndpoint endpoint_of(const agent::ClusterAddress& address) {
  sys::TcpEndpoint endpoint{{}, kPeerPort, kClusterDevice};
  std::copy(address.ipv4.begin(), address.ipv4.end(), endpoint.address.bytes.begin());
  return endpoint;
}

}  // namespace

void PeerLink::set_addresses(std::uint16_t group, agent::ChassisId self) {
  const std::lock_guard lock(mutex_);
  local_ = endpoint_of(agent::cluster_address(group, self));
  peer_ = endpoint_of(agent::cluster_address(group, agent::other(self)));
}

sys::TcpEndpoint PeerLink::local() const {
  const std::lock_guard lock(mutex_);
  return local_;
}

sys::TcpEndpoint PeerLink::peer() const {
  const std::lock_guard lock(mutex_);
  return peer_;
}

void PeerLink::serve_with(PeerService service, Serve serve) {
  const std::lock_guard lock(mutex_);
  servers_[service] = std::move(serve);
}

PeerLink::Serve PeerLink::server_of(PeerService service) const {
  const std::lock_guard lock(mutex_);
  const auto found = servers_.find(service);
  return found == servers_.end() ? Serve() : found->second;
}

Result<sys::FileDescriptor> PeerLink::dial(PeerService service) const {
  if (!enabled)
    return fail_with("the cluster network is off (cluster_network.enabled in cluster.yaml)");
  auto socket = sys::tcp_connect(peer(), kConnect);
  if (!socket) return socket;
  if (Status asked = ask_for(socket->get(), service, keys); !asked) return fail(asked.error());
  return socket;
}

}  // namespace hotpair::daemon
