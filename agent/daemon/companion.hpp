// A companion follows the pair without taking part in its decisions: configuration sync, route
// sync, the cluster network, metrics and the like. It is told the configuration and what became of
// the pair, may answer commands of its own and adds to the status. Nothing in the core waits for a
// companion, and none can move a role.
//
// All calls come from the main loop and must not block: what waits for a disk, the kernel's lock
// for all devices or another process goes to a worker or a thread of the companion's own. The end
// of a companion is its destructor, within what is left of the shutdown limit.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/core/types.hpp"
#include "agent/daemon/node_config.hpp"
#include "platform/config/config.hpp"

namespace hotpair::daemon {

// What companions may know of the pair.
struct PairView {
  agent::Role role = agent::Role::init;
  std::uint64_t epoch = 0;
  bool in_transaction = false;  // a takeover or a giving back is under way
  bool addresses_held = false;
  bool peer_alive = false;
  agent::Role peer_role = agent::Role::init;  // as last heard
  agent::ShortText<32> peer_version{};
  bool in_sync = false;                         // the sessions
  std::optional<agent::PathId> cluster_path{};  // that the cluster network sends on
  std::uint32_t keys_generation = 0;            // of the association
  friend bool operator==(const PairView&, const PairView&) = default;

  bool is_primary() const { return role == agent::Role::primary && !in_transaction; }
};

class Companion {
 public:
  using Answered = std::function<void(const nlohmann::json&)>;

  Companion() = default;
  virtual ~Companion() = default;
  Companion(const Companion&) = delete;
  Companion& operator=(const Companion&) = delete;

  // At the start and after each reload.
  virtual void configure(const config::Config& config, const NodePlan& plan) = 0;
  // After a turn of the loop in which something of it changed.
  virtual void follow(const PairView& pair) = 0;
  // Adds what it is about under keys of its own.
  virtual void add_status(nlohmann::json& /*status*/) const {}
  virtual std::vector<std::string> warnings() const { return {}; }
  // A request of the control socket; false: not one of this companion's. `answered` is called once,
  // now or later.
  virtual bool answer(const std::string& /*command*/, const nlohmann::json& /*request*/,
                      const Answered& /*answered*/) {
    return false;
  }
};

}  // namespace hotpair::daemon
