// The connection between the two agents over the cluster network, for what one asks of the other:
// who listens, who dials, which keys prove them. Shared by the companions that use it and their
// threads.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

#include "agent/core/cluster_network.hpp"
#include "agent/daemon/peer_handshake.hpp"
#include "platform/linux/tcp_socket.hpp"

namespace hotpair::daemon {

class PeerLink {
 public:
  // Serves one connection in a thread of its own; `stop` is readable once the agent ends.
  using Serve = std::function<void(sys::FileDescriptor socket, int stop)>;

  PeerKeys keys;
  std::atomic<bool> enabled{false};       // the cluster network is wanted
  std::atomic<bool> exec_allowed{false};  // node.yaml: peer_exec

  void set_addresses(std::uint16_t group, agent::ChassisId self);
  sys::TcpEndpoint local() const;
  sys::TcpEndpoint peer() const;
  // Who serves connections for `service`; none: nobody.
  void serve_with(PeerService service, Serve serve);
  Serve server_of(PeerService service) const;

  // A connection whose other end has proven itself. Blocks for some seconds; any thread.
  Result<sys::FileDescriptor> dial(PeerService service) const;

 private:
  mutable std::mutex mutex_;
  sys::TcpEndpoint local_, peer_;
  std::map<PeerService, Serve> servers_;
};

}  // namespace hotpair::daemon
