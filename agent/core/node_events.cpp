// What each event changes in what the node knows. Nothing is decided here: settle() follows every
// event.
#include "agent/core/node_state.hpp"

namespace hotpair::agent {
namespace {

using Level = ReportEvent::Level;

// The same kind of mismatch is worth a line again after this much time.
constexpr Duration kMismatchReportEvery = 60s;

std::string_view to_string(MismatchSeen::Kind kind) {
  switch (kind) {
    case MismatchSeen::Kind::wrong_group:
      return "another group";
    case MismatchSeen::Kind::wrong_password:
      return "another password";
    case MismatchSeen::Kind::wrong_vlan:
      return "another VLAN";
    case MismatchSeen::Kind::wrong_version:
      return "another protocol version";
    case MismatchSeen::Kind::same_chassis_id:
      return "our own chassis id";
    case MismatchSeen::Kind::wrong_ethertype:
      return "another ethertype";
    case MismatchSeen::Kind::wrong_path:
      return "crossed heartbeat cables";
    case MismatchSeen::Kind::not_associated:
      return "no sign that it hears us";
  }
  return "a mismatch";
}

}  // namespace

void Node::State::on(Instant, const DeadlineReached&) {}

void Node::State::on(Instant now, const HeartbeatReceived& event) {
  if (event.path >= kMaxPaths || !config.paths[event.path].configured) return;
  // A restarted peer knows nothing of what was granted to its earlier life.
  if (event.new_association) rounds.void_grant();
  const bool stood_by = peer.alive() && peer.silence(now) < config.detection_time() &&
                        peer.newest().role != Role::primary && !event.new_association;
  const bool newest =
      peer.heard(event.path, std::min(event.heard_at, now), event.new_association, event.heartbeat);
  if (newest && stood_by && role == Role::primary && event.heartbeat.role == Role::primary &&
      event.heartbeat.epoch > epoch)
    overtaken = true;
}

void Node::State::on(Instant now, const MismatchSeen& event) {
  using Kind = MismatchSeen::Kind;
  if (event.path >= kMaxPaths) return;
  if (config.paths[event.path].kind != PathConfig::Kind::heartbeat) return;
  // Another cluster on the same segment is none of our business.
  if (event.kind == Kind::wrong_group && !event.proven) return;
  const Neighbour heard{true, std::min(event.heard_at, now), event};
  if (event.kind == Kind::not_associated) {
    deaf = heard;
    return;
  }
  stranger = heard;
  if (event.proven) proven = heard;
  Instant& reported = mismatch_reported[static_cast<std::size_t>(event.kind)];
  if (reported != Instant{} && now - reported < kMismatchReportEvery) return;
  reported = now;
  report(Level::warning, "mismatch",
         Sentence("a neighbour on ", config.paths[event.path].name, " uses ", to_string(event.kind),
                  ": ", event.detail));
}

void Node::State::on(Instant now, const LinkChanged& event) {
  health.link(event, now);
}

void Node::State::on(Instant, const ManagementLinkChanged& event) {
  health.management(event.up);
}

// Carrier of a heartbeat interface decides nothing: a path is judged by what is heard on it.
void Node::State::on(Instant, const HeartbeatLinkChanged& event) {
  if (event.path >= kMaxPaths) return;
  report(event.up ? Level::info : Level::warning,
         event.up ? "heartbeat-link-up" : "heartbeat-link-down",
         Sentence("heartbeat interface ", config.paths[event.path].name,
                  event.up ? " has carrier again" : " lost its carrier"));
}

void Node::State::on(Instant, const ModulesChanged& event) {
  const HealthVector before = health.vector(forced);
  health.modules(event);
  const HealthVector after = health.vector(forced);
  if (after.failed_modules > before.failed_modules)
    report(Level::warning, "module-failed",
           Sentence("failed modules: ", static_cast<unsigned>(event.failed), ", first ",
                    event.first_failed));
}

void Node::State::on(Instant now, const RemoteMonitorsChanged& event) {
  health.remote(event, now);
}

void Node::State::on(Instant now, const WitnessChanged& event) {
  split.witness_answers = event.answers;
  split.witness_told_at = now;
}

void Node::State::on(Instant, const PartitionsCompared& event) {
  partitions = event;
}

void Node::State::on(Instant, const DataplaneState& event) {
  const bool was_alive = replication.dataplane_alive;
  replication = event.replication;
  if (!replication.dataplane_alive) replication.in_sync = false;
  if (was_alive == replication.dataplane_alive) return;
  dataplane.forget();  // a new process knows no role
  report(replication.dataplane_alive ? Level::notice : Level::error,
         replication.dataplane_alive ? "dataplane-alive" : "dataplane-dead",
         replication.dataplane_alive ? "the data plane is there" : "the data plane is gone");
}

void Node::State::on(Instant now, const ActionDone& event) {
  if (event.action == drain_id && drain_id != 0) {
    drain_result = event;
    return;
  }
  if (disk.done(event.action, event.ok, event.error, now)) {
    if (event.ok) {
      on_disk = disk.wanted().epoch;
      forced = disk.wanted().forced;
    } else {
      request_failed("persist-failed", "the state file could not be written", event.error);
    }
    return;
  }
  const bool claims = addresses.wanted().held;
  if (addresses.done(event.action, event.ok, event.error, now)) {
    if (claims) note_claim_outcome(event.ok, now);
    if (!event.ok)
      request_failed(
          claims ? "claim-failed" : "withdraw-failed",
          claims ? "addresses could not be claimed" : "addresses could not be given back",
          event.error);
    return;
  }
  if (dataplane.done(event.action, event.ok, event.error, now) && !event.ok)
    request_failed("dataplane-failed", "the data plane refused its role", event.error);
  // Anything else answers a request that was given up or replaced.
}

void Node::State::on(Instant now, const Stalled& event) {
  // Where nobody is there to take over, only a peer that boots could: after its own hold-down.
  const Duration bound = peer.alive() ? config.detection_time()
                                      : std::max(config.detection_time(), config.hello_holddown);
  peer.resumed(now);
  patience_until = now + config.detection_time();
  listening_until = std::max(listening_until, patience_until);
  split.witness_answers = false;  // what answered before may be gone; each answer is told anew
  if (event.fenced) addresses.forget();
  const bool too_late = event.for_ >= bound || event.fenced;
  if (!too_late) return;
  if (role == Role::primary) split.resumes = !peer.alive();
  report(Level::error, "stalled",
         Sentence("this node stood still for ", event.for_,
                  event.fenced ? "; its addresses were taken away meanwhile" : ""));
  // A stall voids what was begun: the peer may have acted in the meantime.
  cancel_transaction(now);
  rounds.stop_asking();
  rounds.void_grant();
  if (role != Role::primary) return;
  // I7: at once, before another heartbeat says "primary".
  addresses.want({false, false});
  become(
      Cause::stalled,
      event.fenced
          ? Sentence("stood still for ", event.for_, ", and its addresses were taken away")
          : Sentence("stood still for ", event.for_, ", longer than the peer waits (", bound, ")"),
      now);
}

void Node::State::on(Instant now, const OperatorCommand& event) {
  using What = OperatorCommand::What;
  switch (event.what) {
    case What::failover:
      return failover(false, now);
    case What::failover_force:
      return failover(true, now);
    case What::force_primary:
      return force(Forced::primary, now);
    case What::force_backup:
      return force(Forced::backup, now);
    case What::force_none:
      return force(Forced::none, now);
    case What::maintenance_on:
      return begin_maintenance(now);
    case What::maintenance_off:
      return end_maintenance(now);
    case What::shutdown:
      if (!leave_wanted) leave_since = now;
      leave_wanted = true;
  }
}

}  // namespace hotpair::agent
