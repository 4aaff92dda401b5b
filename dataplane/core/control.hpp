// The messages between hotpaird and hotpair-dataplane, one a datagram on the seqpacket socket
// <run-dir>/dataplane.sock, which hotpaird listens on and the data plane connects to (and
// reconnects). Big-endian, hand-written; documented in dataplane/WIRE.md. Both ends are of the same
// build or refuse each other by name (kControlVersion).
//
// The agent decides; the data plane obeys in order and answers. It keeps its last role when the
// agent is gone (the kernel's sessions are worth more than the link), until a frame of a newer
// epoch says otherwise.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "platform/base/bytes.hpp"
#include "platform/base/result.hpp"

namespace hotpair::dataplane::control {

constexpr std::uint16_t kControlVersion = 1;
constexpr std::size_t kMaxMessage = 4096;
constexpr const char* kSocketName = "dataplane.sock";

enum class Role : std::uint8_t { idle = 0, backup = 1, primary = 2 };

// --- agent to data plane
// -----------------------------------------------------------------------------
struct Welcome {  // answers Hello
  std::uint16_t version = kControlVersion;
  std::uint8_t chassis_id = 0;
  std::uint16_t group_id = 0;
};
struct SetRole {  // answered by Done once what was received so far is in the kernel
  std::uint32_t id = 0;
  Role role = Role::idle;
  std::uint64_t epoch = 0;
};
struct Drain {
  std::uint32_t id = 0;
};  // answered by Done when all changes so far are acknowledged
// Keys of the session-sync frames. tx_key is bound to our nonce, rx_key to the peer's; a new peer
// nonce (its data plane restarted) brings a new rx_key. All zero: no peer known, send and accept
// nothing sealed.
struct SetKeys {
  std::array<std::uint8_t, 32> tx_key{}, rx_key{};
  std::uint32_t tx_key_id = 0,
                rx_key_id = 0;  // stand in the clear header, so a switch loses nothing
};
struct SendRelay {
  std::vector<std::uint8_t> frame;
};  // a sealed heartbeat, to be carried as it is

// --- data plane to agent
// -----------------------------------------------------------------------------
struct Hello {
  std::uint16_t version = kControlVersion;
  std::array<std::uint8_t, 16> nonce{};  // drawn at start; makes this run's keys its own
};
struct Done {
  std::uint32_t id = 0;
  bool ok = true;
  std::string error;
};
struct RelayReceived {
  std::uint64_t heard_at_ns = 0;
  std::vector<std::uint8_t> frame;
};
struct State {  // every 100 ms, and at once when in_sync, role or port changes
  Role role = Role::idle;
  std::uint64_t epoch = 0;
  bool in_sync = false;  // on the primary: proven now; on the backup: the primary's word
  bool port_up = false;
  bool peer_heard = false;  // sealed session-sync frames within the last second
  std::uint64_t sessions = 0, lag_sessions = 0;
  std::uint32_t lag_us = 0;
};

using ToDataplane = std::variant<Welcome, SetRole, Drain, SetKeys, SendRelay>;
using ToAgent = std::variant<Hello, Done, RelayReceived, State>;

std::vector<std::uint8_t> encode(const ToDataplane& message);
std::vector<std::uint8_t> encode(const ToAgent& message);
Result<ToDataplane, Error> decode_to_dataplane(Bytes bytes);
Result<ToAgent, Error> decode_to_agent(Bytes bytes);

}  // namespace hotpair::dataplane::control
