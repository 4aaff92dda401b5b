// Moving the role while both nodes live: one asks, the other gives back and grants.
#include "agent/core/node_state.hpp"

namespace hotpair::agent {
namespace {

using Level = ReportEvent::Level;

std::string_view to_string(AskCause cause) {
  switch (cause) {
    case AskCause::none:
      return "nothing";
    case AskCause::election:
      return "the election";
    case AskCause::operator_planned:
      return "a planned failover";
    case AskCause::operator_forced:
      return "a forced failover";
  }
  return "nothing";
}

bool by_operator(AskCause cause) {
  return cause == AskCause::operator_planned || cause == AskCause::operator_forced;
}

}  // namespace

// As init or backup beside a living peer.
bool Node::State::move_by_asking(Instant now) {
  const Heartbeat& theirs = peer.newest();
  if (rounds.granted_by(theirs) && theirs.role != Role::primary) {
    const AskCause cause = rounds.cause();
    const bool fault = cause == AskCause::election && lacks(theirs.health, vector);
    const Reason why =
        by_operator(cause) || winner != self() ? Reason(to_string(cause)) : verdict_reason();
    const bool forced_move = cause == AskCause::operator_forced;
    if (cause == AskCause::election && role == Role::backup) note_move(now);
    take_over(fault ? Cause::granted_fault : Cause::granted, Sentence("peer granted: ", why), now);
    if (forced_move) pin = Pin{vector, theirs.health};
    return true;
  }
  if (rounds.granting()) return false;
  const AskCause wanted = wanted_ask(now);
  if (wanted == AskCause::none) {
    rounds.stop_asking();
  } else {
    if (rounds.cause() != wanted) {
      report(Level::info, "asking",
             Sentence("asks node ", peer_id(), " for the role: ",
                      by_operator(wanted) ? Reason(to_string(wanted)) : verdict_reason()));
      rounds.ask(wanted);
    }
    if (rounds.refused_by(theirs))
      suppressed = Sentence("node ", peer_id(), " refuses: ", theirs.refusal);
  }
  return consider_grant(now);
}

AskCause Node::State::wanted_ask(Instant now) {
  const Heartbeat& theirs = peer.newest();
  if (!ready(now)) return AskCause::none;
  if (waiting.kind == OperatorWait::Kind::asks) return waiting.cause;
  if (theirs.role == Role::primary && theirs.invite_round != 0 &&
      theirs.invite_cause != AskCause::none)
    return theirs.invite_cause;
  if (winner != self()) return AskCause::none;
  if (theirs.role == Role::primary && choice()) {
    suppressed = election_gate(now);
    if (suppressed.size != 0) return AskCause::none;
  }
  return AskCause::election;
}

// A node that has only just started does not know its own links yet.
bool Node::State::ready(Instant now) {
  if (role != Role::init || health.complete() || now >= started + kReadyBound) return true;
  wake(started + kReadyBound);
  return false;
}

bool Node::State::consider_grant(Instant now) {
  const Heartbeat& theirs = peer.newest();
  if (theirs.ask_round == 0) {
    rounds.stop_refusing();
    return false;
  }
  if (rounds.granting()) return false;
  if (role == Role::primary) return consider_handover(now);
  // I3: nothing is granted while an address may still be here.
  if (theirs.role == Role::primary || !addresses_gone() || !ready(now)) return false;
  if (!by_operator(theirs.ask_cause) && winner != peer_id()) return false;
  rounds.grant(theirs.ask_round, now);
  wake(rounds.grant_ends());
  report(Level::info, "granted",
         Sentence("grants node ", peer_id(), " the role: ",
                  by_operator(theirs.ask_cause) ? Reason(to_string(theirs.ask_cause))
                                                : verdict_reason()));
  return false;
}

// As primary: gives the role to the peer when the peer's reason is ours too.
bool Node::State::consider_handover(Instant now) {
  const Heartbeat& theirs = peer.newest();
  const bool agreed = by_operator(theirs.ask_cause) || winner == peer_id() || pinned();
  if (!agreed) {
    rounds.stop_refusing();
    return false;
  }
  if (const Reason why = objection(now); why.size != 0) {
    refuse(why);
    return false;
  }
  rounds.stop_refusing();
  const bool planned = theirs.ask_cause == AskCause::operator_planned ||
                       (theirs.ask_cause == AskCause::election && choice());
  const Reason why =
      by_operator(theirs.ask_cause) ? Reason(to_string(theirs.ask_cause)) : verdict_reason();
  const std::uint32_t round = theirs.ask_round;
  const AskCause cause = theirs.ask_cause;
  give_back(Cause::gave_role, Sentence("gave the role to node ", peer_id(), ": ", why), now,
            planned, kPlannedDrainBound);
  transaction.answers(round, cause);
  return true;
}

Reason Node::State::objection(Instant now) {
  const Heartbeat& theirs = peer.newest();
  if (theirs.ask_cause != AskCause::operator_forced) {
    if (now < handover_not_before) {
      wake(handover_not_before);
      return Sentence("giving the role back failed; tried again in ",
                      whole_seconds(handover_not_before - now));
    }
    if (theirs.ask_cause == AskCause::election && pinned())
      return "held by a forced failover until a health value changes";
  }
  if (theirs.ask_cause == AskCause::operator_planned) {
    if (const Reason back = bounce(waiting.for_maintenance); back.size != 0) return back;
    return gate(now);
  }
  if (theirs.ask_cause != AskCause::election) return {};
  if (choice())
    if (const Reason closed = election_gate(now); closed.size != 0) return closed;
  return damping(now);
}

void Node::State::refuse(const Reason& why) {
  rounds.refuse(peer.newest().ask_round, ShortText<160>(why.view()));
  suppressed = Sentence("node ", peer_id(), " asks for the role: ", why);
  if (waiting.kind == OperatorWait::Kind::invites) answer(false, why);
}

}  // namespace hotpair::agent
