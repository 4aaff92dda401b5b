// Inside of Node: everything it knows, and the rules in the order in which settle() applies them.
// Private to agent/core; the functions are spread over node*.cpp by subject.
#pragma once

#include "agent/core/ask_grant.hpp"
#include "agent/core/health.hpp"
#include "agent/core/node.hpp"
#include "agent/core/peer_liveness.hpp"
#include "agent/core/pursuit.hpp"
#include "agent/core/role.hpp"
#include "agent/core/takeover.hpp"

namespace hotpair::agent {

constexpr Duration kOperatorBound = 5s;  // a failover is answered within this
constexpr Duration kReadyBound = 500ms;  // a starting node waits so long for its links' states
constexpr Duration kLeavingBound = 3s;   // an exit is not held up longer by addresses that stay
constexpr Duration kClaimFaultMemory =
    60s;  // a node that could not claim is trusted again after this
constexpr Duration kLongestBackoff = 64s;  // between two tries of a hand-over that failed
constexpr unsigned kClaimFailuresForFault = 3;

// What was last heard of somebody who is not (known as) our peer.
struct Neighbour {
  bool heard = false;
  Instant last_heard;
  MismatchSeen seen;
};

// A failover or force that an operator waits for.
struct OperatorWait {
  enum class Kind : std::uint8_t { none, asks, invites, forces } kind = Kind::none;
  AskCause cause = AskCause::none;
  Instant since;
  bool for_maintenance = false;  // which begins once the role was given
};

// A forced failover holds against the verdict for as long as the verdict rests on the same values.
struct Pin {
  HealthVector self, peer;
};

struct Node::State {
  State(const NodeConfig& node_config, const PersistedState& persisted, Instant now);

  // --- node.cpp: the frame
  void settle(Instant now);
  void wake(Instant at) { next_wake = std::min(next_wake, at); }  // look again then
  void emit(const Action& action);
  void report(ReportEvent::Level level, std::string_view id, const Reason& text);
  void publish();
  Heartbeat compose() const;
  ActionId next_id() { return ++last_id; }

  // --- node_events.cpp: what each event changes
  void on(Instant now, const DeadlineReached&);
  void on(Instant now, const HeartbeatReceived& event);
  void on(Instant now, const MismatchSeen& event);
  void on(Instant now, const LinkChanged& event);
  void on(Instant now, const ManagementLinkChanged& event);
  void on(Instant now, const HeartbeatLinkChanged& event);
  void on(Instant now, const ModulesChanged& event);
  void on(Instant now, const RemoteMonitorsChanged& event);
  void on(Instant now, const WitnessChanged& event);
  void on(Instant now, const PartitionsCompared& event);
  void on(Instant now, const DataplaneState& event);
  void on(Instant now, const ActionDone& event);
  void on(Instant now, const Stalled& event);
  void on(Instant now, const OperatorCommand& event);

  // --- node_observe.cpp: what follows from what was heard, before anything is decided
  void observe_time(Instant now);
  void observe_peer(Instant now);
  void report_paths(const PeerLiveness::Changes& changes, Instant now);
  void raise_known(Epoch heard);
  void note_table(const Heartbeat& heard);
  void observe_grant(Instant now);
  void observe_protocol();
  void observe_sync(Instant now);
  bool recent(const Neighbour& neighbour, Duration within, Instant now);
  bool neighbour_may_be_primary(Instant now);

  // --- node_decide.cpp: the role
  bool decide(Instant now);  // true: something moved, look again
  bool decide_as_init(Instant now);
  bool decide_as_backup(Instant now);
  bool decide_as_primary(Instant now);
  bool decide_as_fault(Instant now);
  bool decide_leaving(Instant now);
  bool resolve_dual(Instant now);
  bool heal_dual(Instant now);
  void become(Cause cause, const Reason& reason, Instant now);

  // --- node_split.cpp: a peer that is silent and may be alive
  bool held_by_split_brain(Instant now);  // says so
  Reason split_brain_hold(Instant now);   // empty: this node may take the role alone
  bool peer_is_gone(Instant now) const;   // by what it said itself
  Reason alone_reason(Instant now) const;

  // --- node_election.cpp: who should be primary, and what holds a change back
  struct Pair {
    Candidate here, there;
  };
  Pair candidates() const;
  ElectionRules rules() const;
  void update_verdict(Instant now);
  bool nobody_is_primary() const;
  bool pinned() const;
  bool lacks(const HealthVector& one, const HealthVector& other) const;
  bool choice() const;                // the present primary has no fault: moving is a choice
  Reason gate(Instant now);           // empty: a move by choice is allowed now
  Reason election_gate(Instant now);  // the same, of one that nobody ordered
  Reason damping(Instant now);        // empty: the role has not moved too often of late
  bool serves_nothing() const;        // this primary, while the peer would
  void note_move(Instant now);
  void note_held_link(Instant now);
  Reason unsynced() const;
  Reason unequipped() const;  // empty: the other one has every logical system
  // Empty: a planned move would last.
  Reason bounce(bool for_maintenance) const;
  Reason verdict_reason() const;  // "traffic-bandwidth score 20 Gbit/s against 10 Gbit/s"
  bool in_sync() const;
  std::optional<std::uint8_t> agreed_protocol() const;  // with the newest heard
  Reason no_protocol() const;

  // --- node_asking.cpp: asking and granting
  bool move_by_asking(Instant now);
  AskCause wanted_ask(Instant now);
  bool ready(Instant now);
  bool consider_grant(Instant now);
  bool consider_handover(Instant now);
  Reason objection(Instant now);
  void refuse(const Reason& why);

  // --- node_transaction.cpp: takeover and giving back
  void take_over(Cause cause, const Reason& reason, Instant now);
  void give_back(Cause cause, const Reason& reason, Instant now, bool drain, Duration drain_bound);
  void run_transaction(Instant now);
  enum class Outcome : std::uint8_t { pending, ok, failed };
  Outcome stage_outcome(Instant now, ShortText<128>& error) const;
  void after_takeover_stage(Instant now);
  void after_giving_back_stage(Instant now, bool ok, const ShortText<128>& error);
  void start_primary(Instant now);
  void start_claim(Instant now);
  void finish_takeover(Instant now);
  void start_withdraw(Instant now);
  void finish_giving_back(Instant now);
  void keep_role(Instant now, const Reason& why);
  bool handover_still_wanted() const;
  void cancel_transaction(Instant now);

  // --- node_pursue.cpp: requests, retries and their outcomes
  void pursue(Instant now);
  void request_failed(std::string_view id, std::string_view what, const ShortText<128>& error);
  void list_failing(StaticVector<Reason, 3>& list) const;
  void follow(Epoch followed);
  void note_claim_outcome(bool ok, Instant now);

  // --- node_operator.cpp
  void failover(bool force, Instant now, bool for_maintenance = false);
  Reason failover_refusal(bool force, Instant now, bool for_maintenance = false);
  void force(Forced wanted, Instant now);
  void begin_maintenance(Instant now);
  void end_maintenance(Instant now);
  void operator_progress(Instant now);
  void answer(bool accepted, const Reason& text);

  ChassisId self() const { return config.self; }
  ChassisId peer_id() const { return other(config.self); }
  bool addresses_gone() const { return addresses.known() && !addresses.known()->held; }
  bool peer_is(Role wanted) const { return peer.alive() && peer.newest().role == wanted; }

  NodeConfig config;
  Instant started;
  Instant now_;            // of the present step; time never goes back
  Actions* out = nullptr;  // of the present step
  Instant next_wake;
  ActionId last_id = 0;

  PeerLiveness peer;
  Health health;
  AskGrant rounds;
  Transaction transaction;

  Role role = Role::init;
  Instant role_since;
  Reason role_reason;
  Epoch epoch;        // of being primary, or last followed; 0 before either
  Epoch table_epoch;  // whose sessions this node holds whole; 0: nobody's
  Epoch known;        // Invariant: epoch <= known < reserved
  Epoch reserved;     // the next one of ours
  Epoch on_disk;      // Invariant: >= every epoch of ours in use, unless the disk failed
  Forced forced = Forced::none, forced_wanted = Forced::none;

  Pursuit<PersistedState> disk;
  Pursuit<AddressWish> addresses;
  Pursuit<DataplaneWish> dataplane;
  bool dataplane_wished = false;  // init leaves a running data plane as it is
  ActionId drain_id = 0;
  std::optional<ActionDone> drain_result;

  // A peer that is silent and may be alive (election.split_brain).
  struct SplitBrainState {
    bool witness_answers = false;
    Instant witness_told_at;
    bool ordered = false;  // an operator said to take the role all the same
    bool resumes = false;  // was primary beside nobody when it stood still
    bool granted = false;  // the peer had given the role to this node when it fell silent
    bool reported = false;
  } split;
  // The wait for a backup that holds every session (election.sync_timeout).
  struct SyncState {
    std::optional<Instant> lost_at;
    bool overdue = false;
  } sync;
  // Moves of the role for health or choice in quick succession (election.flap_backoff).
  struct MoveState {
    Backoff backoff;
    Instant at;
  } moves;
  PartitionsCompared partitions;  // as told last
  ReplicationState replication;
  HealthVector vector;
  std::uint32_t health_version = 1;
  Instant uptime_due;
  Heartbeat published;
  bool ever_published = false;

  Verdict verdict;
  bool verdict_known = false;
  ChassisId winner = ChassisId::one;  // the verdict, or what stands above it
  std::optional<Pin> pin;
  std::optional<Instant> impasse_since;  // both live, nobody primary
  bool impasse_reported = false;

  Instant listening_until;               // init: nobody heard until then means alone
  Instant patience_until;                // after a stall: the peer has until then to be heard
  std::optional<Instant> role_moved_at;  // the last time the role went from one node to the other
  Epoch last_primary_epoch;
  Instant handover_not_before;
  Duration handover_backoff{};
  std::optional<Instant> claim_fault_until;

  Neighbour stranger, proven,
      deaf;  // unverifiable or misconfigured; proven ours; verified but not hearing us
  std::array<Instant, 16> mismatch_reported{};
  Reason suppressed, conflict, suppressed_reported;

  bool dual = false;
  Instant dual_since;
  bool overtaken = false;  // the peer, heard as backup all along, has taken our role
  std::uint64_t dual_episodes = 0;
  std::uint64_t digest_reported = 0;
  bool protocol_reported = false;

  OperatorWait waiting;
  bool leave_wanted = false, leaving = false, left = false;
  Instant leave_since;
  std::optional<Instant> exit_at;
};

}  // namespace hotpair::agent
