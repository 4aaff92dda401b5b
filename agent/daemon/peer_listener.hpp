// Listens for the peer's agent on the cluster network and for root on this box, and serves each
// connection in a thread: at most kMostSessions at once, all ended with it.
#pragma once

#include <atomic>
#include <list>
#include <memory>
#include <string>
#include <thread>

#include "agent/daemon/peer_exec.hpp"
#include "agent/daemon/peer_link.hpp"
#include "platform/base/log.hpp"
#include "platform/linux/unix_socket.hpp"

namespace hotpair::daemon {

class PeerListener {
 public:
  static constexpr std::size_t kMostSessions = 16;

  static Result<std::unique_ptr<PeerListener>> start(std::shared_ptr<PeerLink> link,
                                                     Folders folders, Log log);
  ~PeerListener();
  PeerListener(const PeerListener&) = delete;
  PeerListener& operator=(const PeerListener&) = delete;

 private:
  struct Session {
    sys::FileDescriptor socket;  // a second one to it, to end it from outside
    std::atomic<bool> done{false};
    std::thread thread;
  };
  PeerListener(std::shared_ptr<PeerLink> link, sys::UnixListener local, sys::FileDescriptor stop,
               Folders folders, Log log);
  void serve();
  void open_network();
  void begin(sys::FileDescriptor socket, void (PeerListener::*service)(sys::FileDescriptor));
  void reap();
  void serve_peer(sys::FileDescriptor socket);
  void serve_root(sys::FileDescriptor socket);

  std::shared_ptr<PeerLink> link_;
  sys::UnixListener local_;
  sys::FileDescriptor network_;  // none: not opened yet
  std::string said_;             // why it is not
  int tries_ = 0;                // to listen on the cluster network, in vain
  Folders folders_;
  sys::FileDescriptor stop_;  // readable from the end on
  Log log_;
  std::list<Session> sessions_;
  std::thread thread_;
};

}  // namespace hotpair::daemon
