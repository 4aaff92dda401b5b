// The takeover and its reverse, stage by stage. Each stage is a wish (pursuit.hpp) that was made
// known to the world and a look at how far it came; its bound has a defined answer, given where the
// next stage starts.
#include "agent/core/node_state.hpp"

namespace hotpair::agent {
namespace {

using Level = ReportEvent::Level;

template <typename T>
bool failed(const Pursuit<T>& pursuit, ShortText<128>& error) {
  if (pursuit.failures() == 0) return false;
  error = pursuit.error();
  return true;
}

}  // namespace

void Node::State::take_over(Cause cause, const Reason& reason, Instant now) {
  HOTPAIR_ASSERT(role == Role::init || role == Role::backup || role == Role::primary);
  transaction.begin(true, cause, reason, now);
  // The epoch was written in advance, as a rule. A disk that fails must not cost the pair its
  // primary: the takeover goes on, says so, and the write is repeated (README.md, I1).
  if (on_disk >= reserved) return start_primary(now);
  transaction.enter(Stage::persist, now, kPersistBound);
}

void Node::State::give_back(Cause cause, const Reason& reason, Instant now, bool drain,
                            Duration drain_bound) {
  HOTPAIR_ASSERT(role == Role::primary);
  transaction.begin(false, cause, reason, now);
  drain_result.reset();
  if (!drain || !config.session_pickup || !replication.dataplane_alive || !peer.alive())
    return start_withdraw(now);
  drain_id = next_id();
  emit(DrainDataplane{drain_id});
  transaction.enter(Stage::drain, now, drain_bound);
}

void Node::State::run_transaction(Instant now) {
  while (transaction.running()) {
    if (transaction.stage() == Stage::drain && transaction.cause() == Cause::gave_role &&
        !handover_still_wanted()) {
      transaction.note(now, false, "not wanted any more");
      return keep_role(now, "the peer no longer asks for the role");
    }
    ShortText<128> error;
    const Outcome outcome = stage_outcome(now, error);
    if (outcome == Outcome::pending) return wake(transaction.deadline());
    const bool ok = outcome == Outcome::ok;
    transaction.note(now, ok, error);
    if (transaction.takeover())
      after_takeover_stage(now);
    else
      after_giving_back_stage(now, ok, error);
  }
}

Node::State::Outcome Node::State::stage_outcome(Instant now, ShortText<128>& error) const {
  const auto judged = [](bool done, bool broken) {
    return done ? Outcome::ok : (broken ? Outcome::failed : Outcome::pending);
  };
  Outcome outcome = Outcome::pending;
  switch (transaction.stage()) {
    case Stage::none:
      break;
    case Stage::persist:
      outcome = judged(on_disk >= reserved, failed(disk, error));
      break;
    case Stage::dataplane:
    case Stage::dataplane_back:
      error = "the data plane is gone";
      outcome =
          judged(dataplane.settled(), !replication.dataplane_alive || failed(dataplane, error));
      break;
    case Stage::claim:
    case Stage::withdraw:
      outcome = judged(addresses.settled(), failed(addresses, error));
      break;
    case Stage::drain:
      if (!drain_result) break;
      error = drain_result->error;
      outcome = judged(drain_result->ok, true);
      break;
  }
  if (outcome == Outcome::pending && now >= transaction.deadline()) {
    error = "not answered in time";
    return Outcome::failed;
  }
  return outcome;
}

// Nothing that fails stops a takeover: a node that carries some of the traffic beats none.
void Node::State::after_takeover_stage(Instant now) {
  switch (transaction.stage()) {
    case Stage::persist:
      return start_primary(now);
    case Stage::dataplane:
      return start_claim(now);
    default:
      return finish_takeover(now);
  }
}

void Node::State::start_primary(Instant now) {
  epoch = reserved;
  known = epoch;
  reserved = next_epoch(known, self());
  if (role != Role::primary) become(transaction.cause(), transaction.reason(), now);
  last_primary_epoch = epoch;
  dataplane_wished = true;
  dataplane.want({DataplaneRole::primary, epoch});
  if (config.session_pickup && replication.dataplane_alive)
    return transaction.enter(Stage::dataplane, now, kDataplaneBound);
  if (config.session_pickup) transaction.skip(to_string(Stage::dataplane), "not running");
  start_claim(now);
}

void Node::State::start_claim(Instant now) {
  addresses.want({true, false});
  transaction.enter(Stage::claim, now, kAddressBound);
}

void Node::State::finish_takeover(Instant now) {
  emit(Announce{});
  if (transaction.cause() != Cause::dual_lost) emit(RunHooks{Hook::primary});
  emit(transaction.end(now));
}

void Node::State::start_withdraw(Instant now) {
  const bool linger =
      transaction.cause() == Cause::gave_role || transaction.cause() == Cause::leave;
  addresses.want({false, linger});
  transaction.enter(Stage::withdraw, now, kAddressBound);
}

// Whoever asked still does, and is there to use the grant.
bool Node::State::handover_still_wanted() const {
  return peer.alive() && peer.newest().ask_round == transaction.round() && !leave_wanted;
}

void Node::State::after_giving_back_stage(Instant now, bool ok, const ShortText<128>& error) {
  const bool handover = transaction.cause() == Cause::gave_role;
  switch (transaction.stage()) {
    case Stage::drain:
      if (handover && !ok)
        return keep_role(now, Sentence("the backup did not acknowledge all changes: ", error));
      if (handover && !replication.in_sync)  // I4, looked at again before anything is disturbed
        return keep_role(now, "the backup fell out of sync");
      if (handover && !handover_still_wanted())
        return keep_role(now, "the peer no longer asks for the role");
      return start_withdraw(now);
    case Stage::withdraw:
      if (handover && !ok)
        return keep_role(now, Sentence("addresses could not be given back: ", error));
      if (handover && !handover_still_wanted())
        return keep_role(now, "the peer no longer asks for the role");
      dataplane.want({DataplaneRole::backup, epoch});
      if (config.session_pickup && replication.dataplane_alive && !leave_wanted)
        return transaction.enter(Stage::dataplane_back, now, kDataplaneBound);
      return finish_giving_back(now);
    default:
      return finish_giving_back(now);
  }
}

void Node::State::finish_giving_back(Instant now) {
  const std::uint32_t round = transaction.round();
  const AskCause ordered_by = transaction.ask_cause();
  become(transaction.cause(), transaction.reason(), now);
  emit(transaction.end(now));
  if (round == 0) return;
  handover_backoff = {};
  if (ordered_by == AskCause::election) note_move(now);
  if (peer.alive() && peer.newest().ask_round == round && addresses_gone()) {
    rounds.grant(round, now);  // I3
    wake(rounds.grant_ends());
  }
}

// The hand-over is off: what was given back so far is taken again, and the next try waits longer.
void Node::State::keep_role(Instant now, const Reason& why) {
  addresses.want({true, false});
  dataplane.want({DataplaneRole::primary, epoch});
  handover_backoff = std::clamp<Duration>(2 * handover_backoff, 1s, kLongestBackoff);
  handover_not_before = now + handover_backoff;
  ReportTransaction report_of_it = transaction.end(now);
  report_of_it.ok = false;
  emit(report_of_it);
  report(Level::error, "handover-failed", Sentence("the role stays here: ", why));
  if (peer.alive() && peer.newest().ask_round != 0) refuse(why);
  if (waiting.kind == OperatorWait::Kind::invites) answer(false, why);
}

void Node::State::cancel_transaction(Instant now) {
  if (!transaction.running()) return;
  ReportTransaction cancelled = transaction.end(now);
  cancelled.ok = false;
  emit(cancelled);
}

}  // namespace hotpair::agent
