// The words of the control plane as types; the glossary is in agent/README.md.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "agent/core/protocol.hpp"
#include "platform/base/static_vector.hpp"
#include "platform/base/time.hpp"

namespace hotpair::agent {

enum class ChassisId : std::uint8_t { one = 1, two = 2 };
constexpr ChassisId other(ChassisId id) {
  return id == ChassisId::one ? ChassisId::two : ChassisId::one;
}

enum class Role : std::uint8_t { init = 0, backup = 1, primary = 2, fault = 3 };

// Rises with every takeover and is persisted before use. Each node takes only numbers of its own
// parity (chassis 1 odd, chassis 2 even), so two nodes that cannot hear each other never take the
// same one: "at most one primary per epoch" holds by construction.
struct Epoch {
  std::uint64_t number = 0;
  friend auto operator<=>(const Epoch&, const Epoch&) = default;
};
constexpr Epoch next_epoch(Epoch after, ChassisId self) {
  const std::uint64_t parity = self == ChassisId::one ? 1 : 0;
  const std::uint64_t candidate = after.number + 1;
  return {candidate % 2 == parity ? candidate : candidate + 1};
}

// Operator's word that outranks every criterion; survives restarts. Maintenance is backup with
// care: the role is given before it begins, and never by choice to a node that is not in sync.
enum class Forced : std::int8_t { maintenance = -2, backup = -1, none = 0, primary = 1 };

// What the election compares, first difference decides. Everything in it is known to both nodes.
struct HealthVector {
  Forced forced = Forced::none;
  std::uint64_t bandwidth_mbps =
      0;  // sum over connected data interfaces; unknown speed counts 1000
  std::uint16_t good_lags = 0;
  bool management_link = true;      // true when none is configured
  std::uint8_t failed_modules = 0;  // as counted, before the tolerance
  std::uint32_t uptime_s = 0;       // of the agent
  std::uint32_t priority = 128;     // the sum over interface modules, or the node's own
  // Bit i: NodeConfig::remote_monitors[i]. Its state here is known and settled; it answers.
  std::uint32_t remote_known = 0, remote_reached = 0;
  // What the first four would be with everything connected and healthy: tells a fault from a
  // choice.
  std::uint64_t full_bandwidth_mbps = 0;
  std::uint16_t full_lags = 0;
  friend bool operator==(const HealthVector&, const HealthVector&) = default;
};

// Short text of bounded size that is copied by value and never allocates.
template <std::size_t N>
struct ShortText {
  std::array<char, N> data{};
  std::uint8_t size = 0;
  static_assert(N < 256);

  ShortText() = default;
  ShortText(std::string_view text) {  // NOLINT: implicit by design; longer text is cut
    size = static_cast<std::uint8_t>(text.size() < N ? text.size() : N);
    for (std::size_t i = 0; i < size; ++i) data[i] = text[i];
  }
  ShortText(const char* text) : ShortText(std::string_view(text)) {}         // NOLINT
  ShortText(const std::string& text) : ShortText(std::string_view(text)) {}  // NOLINT
  std::string_view view() const { return {data.data(), size}; }
  friend bool operator==(const ShortText& a, const ShortText& b) { return a.view() == b.view(); }
};

using Serial = ShortText<32>;
using HostName = ShortText<64>;
using Reason = ShortText<200>;  // one sentence for people: a cause with its values

// Paths by which the peer may be heard. The ids are the same on both nodes whatever each has
// configured, and stand in the authenticated header: heartbeat interfaces 0-3 in the order of
// node.yaml.
constexpr std::size_t kMaxPaths = 6;
constexpr std::uint8_t kSessionSyncPath = 4;
constexpr std::uint8_t kManagementPath = 5;
constexpr std::size_t kMaxDataInterfaces = 64;
using PathId = std::uint8_t;  // index into NodeConfig::paths, below kMaxPaths

// What is fixed about a node for as long as its configuration stands.
struct PathConfig {
  enum class Kind : std::uint8_t { heartbeat, session_sync, management };
  bool configured = false;
  Kind kind = Kind::heartbeat;
  ShortText<32> name;  // the device
};
struct DataInterfaceConfig {
  ShortText<32> name;  // the cluster's name
  bool lag = false;
  ShortText<32> logical_system;  // empty: none
};
// An address that both nodes probe; losing it moves the role to a node that still reaches it.
constexpr std::size_t kMaxRemoteMonitors = 32;
struct RemoteMonitorConfig {
  ShortText<48> address;
  std::uint8_t weight = 100;
  // A change counts after this long: by then the peer's probes have seen it too, if it is the
  // target's and not this node's.
  Duration settle = 500ms;
};
// What a silence of the peer is answered with when nothing proves that it is dead.
enum class SplitBrain : std::uint8_t { takeover, stay, witness };
struct NodeConfig {
  ChassisId self = ChassisId::one;
  Serial serial;
  HostName hostname;
  std::uint32_t priority = 128;
  bool override_ = false;
  Duration uptime_margin = 300s;
  std::uint8_t board_failover_tolerance = 0;
  Duration hold = 0s;
  SplitBrain split_brain = SplitBrain::takeover;
  ShortText<48> witness;  // its address, for the reasons
  // A witness that no longer answers has been reported as such after this long.
  Duration witness_patience = 1s;
  Duration sync_timeout = 60s;
  // Of a link that bounces, and of a role that does; 0: none.
  Duration flap_backoff = 1s, flap_backoff_max = 60s;
  Duration interval = 10ms;
  int lost_threshold = 4;
  Duration hello_holddown = 2s;
  bool session_pickup = false;
  ProtocolRange protocol = kUnsaidProtocol;  // of an older recording; the shell sets its own
  std::uint64_t cluster_digest = 0;
  std::array<PathConfig, kMaxPaths> paths{};
  StaticVector<DataInterfaceConfig, kMaxDataInterfaces> data_interfaces;
  StaticVector<RemoteMonitorConfig, kMaxRemoteMonitors> remote_monitors;

  Duration detection_time() const { return interval * lost_threshold; }
};

// What outlives a restart (the state directory). Written through Action PersistState, whole.
struct PersistedState {
  Epoch epoch;  // the highest this node ever used or heard, and may still use itself
  Forced forced = Forced::none;
  friend bool operator==(const PersistedState&, const PersistedState&) = default;
};

std::string_view to_string(Role role);
std::string_view to_string(Forced forced);

}  // namespace hotpair::agent
