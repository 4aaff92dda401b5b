// The agent's end of <run-dir>/dataplane.sock: one data plane at a time, told its role and keys,
// asked to drain, carrying relayed heartbeats. Answers become ActionDone, its State becomes
// DataplaneState. When the socket is lost, or silent for a second, every pending action fails at
// once.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/action.hpp"
#include "agent/daemon/links.hpp"
#include "agent/daemon/shared_association.hpp"
#include "dataplane/core/control.hpp"
#include "platform/base/log.hpp"
#include "platform/linux/event_loop.hpp"
#include "platform/linux/unix_socket.hpp"

namespace hotpair::daemon {

constexpr Duration kDataplaneSilence = 1s;  // its State comes every 100 ms

using DataplaneNonce = std::array<std::uint8_t, 16>;

class DataplaneLink {
 public:
  struct Needs {
    sys::EventLoop& loop;
    SharedAssociation& association;
    agent::ChassisId self;
    std::uint16_t group = 0;
    Emit emit;
    Log log;
    std::function<void(Instant heard_at, Bytes frame)> relay_received;
    std::function<void(std::shared_ptr<sys::UnixSocket>)> relay_socket;  // for the heartbeat thread
    std::function<void()> nonce_changed;
  };
  static Result<std::unique_ptr<DataplaneLink>> listen(const std::string& path, Needs needs);
  ~DataplaneLink();

  void set_role(const agent::SetDataplaneRole& action);
  void drain(const agent::DrainDataplane& action);
  // After every accepted heartbeat: sends new keys when they would differ.
  void update_keys(const DataplaneNonce& peer_nonce);

  bool connected() const { return ready_; }
  bool port_up() const { return port_up_; }
  const DataplaneNonce& nonce() const { return nonce_; }  // zero: no data plane

 private:
  struct Pending {
    Instant asked;
  };
  DataplaneLink(sys::UnixListener listener, Needs needs);
  void on_connect();
  void on_readable();
  void on_message(const dataplane::control::ToAgent& message);
  void on_hello(const dataplane::control::Hello& hello);
  void on_done(const dataplane::control::Done& done);
  void on_state(const dataplane::control::State& state);
  void on_relay(const dataplane::control::RelayReceived& relayed);
  void lose(const std::string& why);
  bool send(const dataplane::control::ToDataplane& message);
  void ask(std::uint32_t id, const dataplane::control::ToDataplane& message);
  void send_keys();
  void watch_silence();

  Needs needs_;
  sys::UnixListener listener_;
  std::shared_ptr<sys::UnixSocket> socket_;
  bool ready_ = false;  // Hello and Welcome were exchanged
  bool port_up_ = false;
  Instant last_heard_{};
  sys::TimerId silence_timer_ = 0;
  DataplaneNonce nonce_{}, peer_nonce_{};
  std::optional<std::uint32_t> keys_generation_;
  DataplaneNonce keys_for_peer_{};
  std::optional<dataplane::control::SetRole>
      role_;                                  // the present one, for a data plane that reconnects
  std::map<std::uint32_t, Instant> pending_;  // action id to when it was asked
  std::vector<std::uint8_t> buffer_;
};

// The keys of both directions as they follow from the association; none before it is established.
std::optional<dataplane::control::SetKeys> session_sync_keys(agent::Association& association,
                                                             agent::ChassisId self,
                                                             const DataplaneNonce& ours,
                                                             const DataplaneNonce& peers);

}  // namespace hotpair::daemon
