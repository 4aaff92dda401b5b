// The role: what a node does in each, given what it knows. The invariants cited are README.md's.
#include "agent/core/node_state.hpp"

namespace hotpair::agent {
namespace {

using Level = ReportEvent::Level;

}  // namespace

bool Node::State::decide(Instant now) {
  suppressed = {};
  conflict = {};
  if (leave_wanted) return decide_leaving(now);
  if (transaction.running()) return false;
  switch (role) {
    case Role::init:
      return decide_as_init(now);
    case Role::backup:
      return decide_as_backup(now);
    case Role::primary:
      return decide_as_primary(now);
    case Role::fault:
      return decide_as_fault(now);
  }
  return false;
}

bool Node::State::decide_as_init(Instant now) {
  if (peer.alive()) {
    const Heartbeat& heard = peer.newest();
    if (heard.leaving) {
      take_over(Cause::peer_leaving, Sentence("node ", peer_id(), " leaves in order"), now);
      return true;
    }
    if (heard.role != Role::primary) return move_by_asking(now);
    become(Cause::peer_primary,
           Sentence("node ", peer_id(), " is primary, epoch ", heard.epoch.number), now);
    return true;
  }
  // I6: no takeover beside a neighbour that cannot be told from a misconfigured peer.
  const Duration silence = std::max(config.hello_holddown, config.detection_time());
  if (recent(stranger, silence, now)) {
    become(Cause::mismatch, Sentence("a misconfigured neighbour is heard: ", stranger.seen.detail),
           now);
    return true;
  }
  if (now < listening_until) {
    wake(listening_until);
    return false;
  }
  if (recent(deaf, silence, now)) {
    become(Cause::mismatch,
           Sentence("node ", peer_id(), " is heard but does not hear us: ", deaf.seen.detail), now);
    return true;
  }
  if (held_by_split_brain(now)) return false;
  take_over(Cause::alone, alone_reason(now), now);
  return true;
}

bool Node::State::decide_as_backup(Instant now) {
  if (peer.alive()) {
    if (!peer.newest().leaving) return move_by_asking(now);
    take_over(Cause::peer_leaving, Sentence("node ", peer_id(), " leaves in order"), now);
    return true;
  }
  if (now < patience_until) {
    wake(patience_until);
    return false;
  }
  if (neighbour_may_be_primary(now)) {  // I6
    conflict = Sentence("the peer is silent, but heard misconfigured: ", proven.seen.detail);
    return false;
  }
  if (held_by_split_brain(now)) return false;
  take_over(peer.known() ? Cause::peer_silent : Cause::alone, alone_reason(now), now);
  return true;
}

bool Node::State::decide_as_primary(Instant now) {
  const Duration silence = std::max(config.hello_holddown, config.detection_time());
  if (!peer.alive() && recent(stranger, silence, now))
    conflict = Sentence("a misconfigured neighbour is heard: ", stranger.seen.detail);
  if (peer_is(Role::primary)) return resolve_dual(now);
  if (dual) return heal_dual(now);
  return peer.alive() && consider_grant(now);
}

bool Node::State::decide_as_fault(Instant now) {
  if (peer_is(Role::primary)) {
    become(Cause::peer_primary,
           Sentence("node ", peer_id(), " is primary, epoch ", peer.newest().epoch.number), now);
    return true;
  }
  if (peer.alive()) {
    become(Cause::peer_heard, Sentence("node ", peer_id(), " is associated now"), now);
    return true;
  }
  const Duration silence = std::max(config.hello_holddown, config.detection_time());
  const bool stranger_there = recent(stranger, silence, now);
  const bool deaf_there = recent(deaf, silence, now);
  if (stranger_there || deaf_there) {
    conflict = role_reason;
    return false;
  }
  // Its silence was the hold-down.
  listening_until = now;
  become(Cause::mismatch_over, Sentence("the misconfigured neighbour is silent for ", silence),
         now);
  return true;
}

bool Node::State::decide_leaving(Instant now) {
  if (transaction.giving_back()) return false;
  if (transaction.takeover()) cancel_transaction(now);
  rounds.stop_asking();
  rounds.stop_inviting();
  if (role == Role::primary) {
    give_back(Cause::leave, "the agent was asked to exit", now, true, kLeavingDrainBound);
    return true;
  }
  if (!exit_at) {
    addresses.want({false, true});
    const Instant patience_ends = leave_since + kLeavingDrainBound + kLeavingBound;
    if (!addresses_gone() && now < patience_ends) {
      wake(patience_ends);
      return false;
    }
    // Addresses that stay are for the wardens; the peer then learns of our end by silence alone.
    leaving = addresses_gone();
    exit_at = leaving ? now + 2 * config.interval : now;
  }
  if (now < *exit_at) {
    wake(*exit_at);
    return false;
  }
  emit(Exit{});
  left = true;
  return false;
}

// I9: both are primary and hear each other: the election decides with the incumbency void, the
// same way on both nodes. Before it comes who was taken over by a peer that it heard all along: it
// yields, and the other, to whom the silence was that of a node that stood still, waits for it a
// little: it may not have heard us before, and then does not know.
// What could leave both in place is closed: a peer that does not hear us cannot yield, so we do;
// and nodes whose rules differ follow the chassis id after the hold-down.
bool Node::State::resolve_dual(Instant now) {
  if (!dual) {
    dual = true;
    dual_since = now;
    ++dual_episodes;
    pin.reset();
    report(Level::error, "dual-primary",
           Sentence("both nodes are primary: epoch ", epoch.number, " here, ",
                    peer.newest().epoch.number, " on node ", peer_id()));
  }
  const Instant deaf_for_good = dual_since + 2 * config.detection_time();
  const Instant impasse = dual_since + std::max<Duration>(config.hello_holddown, 1s);
  if (overtaken) {
    give_back(Cause::dual_lost,
              Sentence("node ", peer_id(), " took the role, epoch ", peer.newest().epoch.number,
                       ", heard all along: this node stood still, or was not heard"),
              now, false, {});
    return true;
  }
  const bool awaited = now < deaf_for_good && peer.stood_still() && epoch > peer.newest().epoch;
  const bool lost = now >= impasse ? self() == ChassisId::two : winner == peer_id() && !awaited;
  if (lost) {
    give_back(Cause::dual_lost,
              Sentence("both were primary, node ", peer_id(), " stays: ", verdict_reason()), now,
              false, {});
    return true;
  }
  if (peer.newest().paths_alive == 0 && now >= deaf_for_good) {
    give_back(Cause::unheard,
              Sentence("both were primary, and node ", peer_id(), " does not hear this one"), now,
              false, {});
    return true;
  }
  if (now < deaf_for_good) wake(deaf_for_good);
  if (now < impasse) wake(impasse);
  return false;
}

// The other has stepped down, or fell silent. The neighbours may have learned its MAC, so we
// announce again; and where its epoch was the higher one, ours must rise above it or the data
// planes would not follow us.
bool Node::State::heal_dual(Instant now) {
  dual = overtaken = false;
  report(Level::notice, "dual-primary-over",
         Sentence("this node alone is primary again after ", now - dual_since));
  if (known > epoch) {
    take_over(Cause::dual_lost, Sentence("node ", peer_id(), " used epoch ", known.number), now);
    return true;
  }
  emit(Announce{});
  return false;
}

void Node::State::become(Cause cause, const Reason& reason, Instant now) {
  const Transition& move = transition(role, cause);
  HOTPAIR_ASSERT(move.to != role);
  const Role from = role;
  role = move.to;
  role_since = now;
  role_reason = reason;
  if (role == Role::backup) follow(peer_is(Role::primary) ? peer.newest().epoch : epoch);
  ReportRoleChange change{from, role, epoch, reason, move.kind};
  change.health = vector;
  change.peer_known = peer.known();
  change.peer_health = peer.newest().health;
  change.elected = verdict_known && peer.alive();
  change.verdict = verdict;
  emit(change);
  if (from == Role::primary) {
    dual = overtaken = false;
    pin.reset();
    if (claim_fault_until) claim_fault_until = now + kClaimFaultMemory;
  }
  if (role == Role::primary) {
    split.ordered = split.reported = split.resumes = false;
    rounds.stop_asking();
    rounds.void_grant();
    if (from != Role::init) role_moved_at = now;
    last_primary_epoch = epoch;
    table_epoch = epoch;
  }
  if (role == Role::backup) {
    emit(RunHooks{Hook::backup});
  }
  if (role == Role::fault) emit(RunHooks{Hook::fault});
}

}  // namespace hotpair::agent
