// What the agent's `status` and `why` answer, from the node's state and what only the shell knows.
// Pure; the keys are part of the control protocol (control_schema.hpp) and only ever gain
// neighbours.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/core/beat_jitter.hpp"
#include "agent/core/node.hpp"
#include "agent/daemon/lag.hpp"
#include "agent/daemon/mismatch_table.hpp"
#include "agent/daemon/modules.hpp"
#include "agent/daemon/node_config.hpp"
#include "agent/daemon/remote_monitors.hpp"

namespace hotpair::daemon {

struct DataInterfaceState {
  bool present = false, up = false;
  std::uint64_t speed_mbps = 0;  // of what is usable, forgiven or not
  std::optional<LagState> lag{};
};

struct StatusView {
  const NodePlan& plan;
  const config::Config& config;
  agent::NodeStatus node{};
  agent::Heartbeat published{};  // what we say of ourselves
  Instant now{};
  std::string wall_now{};        // ISO 8601, UTC
  std::int64_t wall_now_ms = 0;  // since the epoch, for "since" times
  std::string version{};
  std::vector<DataInterfaceState> data_interfaces{};  // as plan.data_interfaces
  std::vector<bool> heartbeat_link_up{};              // as plan.heartbeats
  bool dataplane_port_up = false;
  bool management_open = false;          // the management path's socket
  std::uint64_t management_foreign = 0;  // datagrams to it from others than the peer
  std::vector<bool> addresses_held{}, addresses_foreign{};  // as plan.addresses
  std::vector<std::uint64_t> addresses_put_back{};          // as plan.addresses
  std::optional<Instant> peer_role_since{};                 // when this node first heard of it
  std::vector<ModuleRow> modules{};
  std::vector<RemoteMonitorRow> remote_monitors{};
  std::optional<Prober::View> witness{};  // none configured
  nlohmann::json neighbours{};            // the last verification of an announcement
  std::vector<MismatchRow> mismatches{};
  std::array<agent::BeatJitter, agent::kMaxPaths> jitter{};
  std::map<std::string, std::uint64_t> rejected{};
  std::vector<std::string> warnings{};
};

nlohmann::json status_json(const StatusView& view);
nlohmann::json why_json(const StatusView& view);

// "2026-01-31T12:00:00.123Z"
std::string iso_time(std::int64_t ms_since_epoch);

}  // namespace hotpair::daemon
