// What a node says in every heartbeat, as a value. The bytes are heartbeat_wire's; sealing, salts
// and counters are the association's; when it is sent is the heartbeat thread's.
#pragma once

#include "agent/core/password_rotation.hpp"
#include "agent/core/types.hpp"

namespace hotpair::agent {

// The replication's state as the data plane last told it.
struct ReplicationState {
  bool dataplane_alive = false;
  bool in_sync = false;        // digests proven equal; always false while dataplane_alive is false
  std::uint64_t sessions = 0;  // in this node's table
  std::uint64_t lag_sessions = 0;  // primary: changed and not yet acknowledged
  std::uint32_t lag_us = 0;        // primary: age of the oldest of them
  friend bool operator==(const ReplicationState&, const ReplicationState&) = default;
};

struct Heartbeat {
  // Stamped by the sending thread at each send, the same on every path: tells a dead path from a
  // dead node.
  std::uint64_t sequence = 0;
  std::uint32_t loop_age_us = 0;  // how long ago the sender's main loop last ran

  Role role = Role::init;
  Epoch epoch;  // the epoch of the role: of the primary being, or last, followed
  // The epoch whose sessions this node holds whole, as its primary or as a backup in sync; 0: none.
  // Where nobody is primary, it tells the node that must not be passed over from one that has just
  // booted.
  Epoch table_epoch;
  bool leaving = false;  // an orderly exit: the peer need not wait for silence
  bool dual_primary_seen = false;
  // The sender hears nothing on the direct paths: what it is told must reach it on the others.
  bool direct_silent = false;
  HealthVector health;
  std::uint32_t health_version = 0;       // rises with every change of `health`
  std::uint32_t peer_health_version = 0;  // the newest of the receiver's this node has decided on
  // Moving the role while both live: the node that should take over asks; its peer grants after it
  // gave its addresses back. A grant names the round it answers, so an old one moves nothing.
  std::uint32_t ask_round = 0;    // 0: not asking
  std::uint32_t grant_round = 0;  // 0: not granting
  enum class AskCause : std::uint8_t {
    none = 0,
    election = 1,
    operator_planned = 2,
    operator_forced = 3
  };
  AskCause ask_cause = AskCause::none;
  // An operator's `failover` on the primary: it invites its peer to ask, with the cause to ask
  // with.
  std::uint32_t invite_round = 0;  // 0: not inviting
  AskCause invite_cause = AskCause::none;
  // The receiver's ask or invitation that is not followed at present, and why.
  std::uint32_t refuse_round = 0;  // 0: none
  ShortText<160> refusal;
  ReplicationState replication;
  std::uint64_t cluster_digest = 0;                // of cluster.yaml
  std::uint8_t paths_alive = 0;                    // bit i: I hear you on my path i
  std::array<std::uint8_t, 16> dataplane_nonce{};  // zero: no data plane
  Serial serial;
  HostName hostname;
  ShortText<32> version;  // of the software
  Reason role_reason;     // why this role; for the peer's status
  StaticVector<ShortText<48>, 8>
      lost_interfaces;  // monitored interfaces that are down, named with their logical system

  ShortText<96> failed_module;  // the first that failed: slot, name, why; empty: none

  PasswordUse passwords;  // of the sender; unknown from a version that does not say
  ProtocolRange protocol = kUnsaidProtocol;

  friend bool operator==(const Heartbeat&, const Heartbeat&) = default;
};

}  // namespace hotpair::agent
