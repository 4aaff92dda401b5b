// The brain of one node, as a value: events with their time in, actions out. It never blocks,
// allocates, reads a clock or touches the system, so two of them and a network run in a simulation
// (tests/sim).
//
// Owned by one thread. A Node is driven by a shell that keeps three promises: every event is
// stepped in the order of its time (frames that wait in a socket before a deadline that has
// passed); every action is carried out in the order given; the outcome of each action with an id
// comes back as ActionDone (a failure too).
#pragma once

#include <memory>
#include <optional>

#include "agent/core/action.hpp"
#include "agent/core/election.hpp"
#include "agent/core/event.hpp"
#include "agent/core/types.hpp"
#include "agent/core/what_if.hpp"

namespace hotpair::agent {

struct PathStatus {
  bool alive = false;
  bool ever_heard = false;
  bool best = false;  // lowest id among the alive ones with the least loss
  Instant last_heard;
  std::uint64_t received = 0, lost = 0;  // lost: by gaps in the shared sequence
};

struct NodeStatus {
  ChassisId self = ChassisId::one;
  Role role = Role::init;
  Epoch epoch;
  Epoch table_epoch;  // whose sessions it holds whole; 0: none
  Instant role_since;
  Reason role_reason;
  Forced forced = Forced::none;
  HealthVector health;
  ReplicationState replication;
  bool addresses_held = false;
  bool in_transaction = false;

  bool peer_known = false;  // heard at least once since start
  bool peer_alive = false;
  Heartbeat peer;                             // the newest; meaningful when peer_known
  std::array<PathStatus, kMaxPaths> paths{};  // as NodeConfig::paths

  bool verdict_known = false;  // there is a peer to compare with
  Verdict verdict;
  bool in_sync = false;       // proven by the primary's digest comparison, ours or the peer's word
  bool sync_overdue = false;  // a formed pair is not in sync for longer than election.sync_timeout
  std::optional<std::uint8_t> protocol;  // the version that both speak; none: they share none
  Reason suppressed;  // non-empty: a change of role is wanted and held back, with until when
  Reason conflict;    // non-empty: a misconfigured neighbour keeps this node from deciding
  // What this node asks of its disk, its addresses or its data plane and does not get: tried again
  // for as long as it takes, and to be known before it is needed.
  StaticVector<Reason, 3> failing;
  ShortText<96> lacking_here, lacking_there;  // of logical systems, as PartitionsCompared
  bool dual_primary = false;
  std::uint64_t dual_primary_episodes = 0;
};

// What is asked after every step, without the texts of a whole status.
struct NodeGlance {
  Role role = Role::init;
  Epoch epoch;
  bool addresses_held = false, in_transaction = false;
  bool peer_alive = false;
  Role peer_role = Role::init;  // as last heard
  bool in_sync = false;
  std::uint8_t paths_alive = 0, peer_paths_alive = 0;  // bit i: path i; the peer's as last heard
};

class Node {
 public:
  Node(const NodeConfig& config, const PersistedState& persisted, Instant now);
  ~Node();
  Node(Node&&) noexcept;
  Node& operator=(Node&&) noexcept;

  // The only way in. `out` is cleared first. Call once with DeadlineReached right after
  // construction.
  void step(const Event& event, Actions& out);
  // When step(DeadlineReached) is wanted next.
  std::optional<Instant> next_deadline() const;
  NodeStatus status(Instant now) const;
  NodeGlance glance() const;
  const Heartbeat& peer() const;  // its newest; default values before the first
  // What would be decided under the assumptions, and what a failover would do now (what_if.hpp).
  WhatIf what_if(std::span<const Assumption> assumptions, Instant now) const;
  FailoverPlan plan_failover(bool by_force, Instant now) const;
  // A new configuration without a change of role; what needs a restart was refused by the shell.
  void reconfigure(const NodeConfig& config, Instant now, Actions& out);

 private:
  friend struct NodeSnapshot;  // node_snapshot.hpp
  struct State;
  class Rehearsal;
  std::unique_ptr<State> state_;  // allocated once, at construction
};

}  // namespace hotpair::agent
