#include "agent/core/node_snapshot.hpp"

#include "agent/core/field_codec.hpp"
#include "agent/core/node_state.hpp"

namespace hotpair::agent {

template <>
struct WordsOf<OperatorWait::Kind> {
  static constexpr std::string_view word(OperatorWait::Kind value) {
    using Kind = OperatorWait::Kind;
    switch (value) {
      case Kind::none:
        return "none";
      case Kind::asks:
        return "asks";
      case Kind::invites:
        return "invites";
      case Kind::forces:
        return "forces";
    }
    return {};
  }
};

HOTPAIR_FIELDS(Backoff, count, delay);
HOTPAIR_FIELDS(AddressWish, held, linger);
HOTPAIR_FIELDS(DataplaneWish, role, epoch);
HOTPAIR_FIELDS(Neighbour, heard, last_heard, seen);
HOTPAIR_FIELDS(OperatorWait, kind, cause, since, for_maintenance);
HOTPAIR_FIELDS(Pin, self, peer);
HOTPAIR_FIELDS(Health::Interface, reported, present, up, speed_mbps, full_speed_mbps, told_mbps,
               changed_at, fell, bounces);
HOTPAIR_FIELDS(Health::Remote, known, reached, since);
HOTPAIR_FIELDS(Health, config, started, interfaces, reported, remote, remote_known, remote_reached,
               management_up, claiming_fails, modules, uptime_s);
HOTPAIR_FIELDS(PeerLiveness::Path, configured, relayed, ever_heard, alive, reported_dead,
               last_heard, newest, received, lost, recent_loss);
HOTPAIR_FIELDS(PeerLiveness, detection, threshold, paths, known, alive, stood_still, came_at,
               vouched_at, resumed_at, alive_at_resume, newest);
HOTPAIR_FIELDS(AskGrant, last_round, ask_round, invite_round, granted_round, refused_round, asking,
               inviting, grant_ends, refusal);
HOTPAIR_FIELDS(Transaction, stage, takeover, cause, reason, began, stage_began, deadline, round,
               ask_cause, report);

template <typename T>
struct FieldsOf<Pursuit<T>> {
  static void each(auto& f, auto& value) {
    auto& [known, wanted, in_flight, deadline, retry_at, failures, error] = value;
    detail::visit_named(f, "known, wanted, in_flight, deadline, retry_at, failures, error", known,
                        wanted, in_flight, deadline, retry_at, failures, error);
  }
};

HOTPAIR_FIELDS(Node::State::SplitBrainState, witness_answers, witness_told_at, ordered, resumes,
               granted, reported);
HOTPAIR_FIELDS(Node::State::SyncState, lost_at, overdue);
HOTPAIR_FIELDS(Node::State::MoveState, backoff, at);
HOTPAIR_FIELDS(Node::State, config, started, now, out, next_wake, last_id, peer, health, rounds,
               transaction, role, role_since, role_reason, epoch, table_epoch, known, reserved,
               on_disk, forced, forced_wanted, disk, addresses, dataplane, dataplane_wished,
               drain_id, drain_result, split, sync, moves, partitions, replication, vector,
               health_version, uptime_due, published, ever_published, verdict, verdict_known,
               winner, pin, impasse_since, impasse_reported, listening_until, patience_until,
               role_moved_at, last_primary_epoch, handover_not_before, handover_backoff,
               claim_fault_until, stranger, proven, deaf, mismatch_reported, suppressed, conflict,
               suppressed_reported, dual, dual_since, overtaken, dual_episodes, digest_reported,
               protocol_reported, waiting, leave_wanted, leaving, left, leave_since, exit_at);

std::size_t NodeSnapshot::write(const Node& node, MutableBytes out) {
  ByteWriter writer(out);
  FieldWriter(writer).fields(std::as_const(*node.state_));
  return writer.failed() ? 0 : writer.size();
}

Result<NodeSnapshot::Read, std::string> NodeSnapshot::read(Bytes bytes, const NodeConfig& config) {
  Read read{Node(config, PersistedState{}, Instant{})};
  Node::State& state = *read.node.state_;
  FieldReader reader(bytes);
  if (!reader.fields(state)) return fail(reader.error());
  // What the core asserts of itself.
  if (!(state.epoch <= state.known && state.known < state.reserved))
    return fail(std::string("epoch"));
  read.missing = reader.missing();
  read.unknown = reader.unknown();
  return read;
}

}  // namespace hotpair::agent
