// What an operator orders, and the one answer each order gets.
#include "agent/core/node_state.hpp"

namespace hotpair::agent {

void Node::State::answer(bool accepted, const Reason& text) {
  if (waiting.kind == OperatorWait::Kind::asks && role != Role::primary) rounds.stop_asking();
  waiting = OperatorWait{};
  rounds.stop_inviting();
  emit(OperatorAnswer{accepted, text});
}

void Node::State::failover(bool by_force, Instant now, bool for_maintenance) {
  if (const Reason why = failover_refusal(by_force, now, for_maintenance); why.size != 0) {
    emit(OperatorAnswer{false, why});
    return;
  }
  const AskCause cause = by_force ? AskCause::operator_forced : AskCause::operator_planned;
  if (!peer.alive()) {  // held by the split-brain policy
    split.ordered = true;
    waiting = {OperatorWait::Kind::asks, cause, now};
    return;
  }
  const bool asks = role == Role::backup;
  waiting = {asks ? OperatorWait::Kind::asks : OperatorWait::Kind::invites, cause, now};
  if (!asks) rounds.invite(cause);
}

Reason Node::State::failover_refusal(bool by_force, Instant now, bool for_maintenance) {
  if (leave_wanted) return "this node's agent is exiting";
  if (waiting.kind != OperatorWait::Kind::none) return "another order is still being carried out";
  if (transaction.running()) return "a takeover is under way";
  (void)peer.update(now);
  const bool held = (role == Role::backup || role == Role::init) && !peer.alive() &&
                    split_brain_hold(now).size != 0;
  if (held && by_force) return {};
  const std::string_view way_out = held ? "; 'hotpair failover --force' takes the role alone" : "";
  if (!peer.known()) return Sentence("node ", peer_id(), " was never heard", way_out);
  if (!peer.alive())
    return Sentence("node ", peer_id(), " is not alive: ", peer.silent_reason(now), way_out);
  if (role != Role::primary && role != Role::backup)
    return Sentence("this node is in role ", to_string(role), ": ", role_reason);
  const Role theirs = peer.newest().role;
  const bool movable = role == Role::primary ? theirs == Role::backup : theirs == Role::primary;
  if (!movable)
    return Sentence("this node is ", to_string(role), " and node ", peer_id(), " is ",
                    to_string(theirs), ": there is nothing to move");
  if (by_force) return {};
  update_verdict(now);
  if (const Reason back = bounce(for_maintenance); back.size != 0)
    return Sentence(back, "; 'hotpair failover --force' holds it there");
  if (const Reason closed = gate(now); closed.size != 0)
    return Sentence(closed, "; 'hotpair failover --force' moves the role all the same");
  return {};
}

// Written first, used then: what was accepted survives a restart.
void Node::State::force(Forced wanted, Instant now) {
  if (waiting.kind != OperatorWait::Kind::none) {
    emit(OperatorAnswer{false, "another order is still being carried out"});
    return;
  }
  forced_wanted = wanted;
  waiting = {OperatorWait::Kind::forces, AskCause::none, now};
}

// The role first, as a planned failover: only then is this node the one to be worked on.
void Node::State::begin_maintenance(Instant now) {
  const auto refuse = [this](const Reason& why) { emit(OperatorAnswer{false, why}); };
  if (forced_wanted == Forced::maintenance)
    return emit(OperatorAnswer{true, Sentence("node ", self(), " is in maintenance")});
  if (forced_wanted != Forced::none)
    return refuse(Sentence("node ", self(), " is forced to ", to_string(forced_wanted),
                           ": 'hotpair force none' first"));
  if (peer.alive() && peer.newest().health.forced == Forced::maintenance)
    return refuse(Sentence("node ", peer_id(), " is in maintenance: one at a time"));
  if (role != Role::primary) return force(Forced::maintenance, now);
  if (waiting.kind != OperatorWait::Kind::none)
    return refuse("another order is still being carried out");
  failover(false, now, true);
  waiting.for_maintenance = waiting.kind == OperatorWait::Kind::invites;
}

void Node::State::end_maintenance(Instant now) {
  if (forced_wanted != Forced::maintenance)
    return emit(OperatorAnswer{true, Sentence("node ", self(), " is not in maintenance")});
  force(Forced::none, now);
}

void Node::State::operator_progress(Instant now) {
  using Kind = OperatorWait::Kind;
  if (waiting.kind == Kind::none) return;
  const Instant bound = waiting.since + kOperatorBound;
  if (waiting.kind == Kind::forces) {
    if (forced == forced_wanted && disk.wanted().forced == forced_wanted)
      return answer(true, forced == Forced::maintenance
                              ? Sentence("node ", self(), " is in maintenance")
                              : Sentence("forced state of node ", self(), ": ", to_string(forced)));
    const bool tried = disk.wanted().forced == forced_wanted && disk.failures() > 0;
    if (!tried && now < bound) return wake(bound);
    forced_wanted = forced;
    return answer(false, Sentence("the state file cannot be written: ", disk.error()));
  }
  const Heartbeat& theirs = peer.newest();
  if (transaction.running() && transaction.stage() != Stage::drain) return;
  if (waiting.kind == Kind::asks && role == Role::primary)
    return answer(true, Sentence("node ", self(), " is primary since ", now - waiting.since,
                                 " after the order"));
  if (waiting.kind == Kind::invites && role == Role::backup && peer_is(Role::primary)) {
    if (waiting.for_maintenance) {
      waiting = OperatorWait{};
      rounds.stop_inviting();
      return force(Forced::maintenance, now);
    }
    return answer(true, Sentence("node ", peer_id(), " is primary since ", now - waiting.since,
                                 " after the order"));
  }
  if (waiting.kind == Kind::asks && rounds.refused_by(theirs))
    return answer(false, Sentence("node ", peer_id(), " refuses: ", theirs.refusal));
  if (waiting.kind == Kind::invites && role == Role::primary && !peer.alive())
    return answer(
        false, Sentence("node ", peer_id(), " fell silent during the move; this node is primary"));
  if (now >= bound)
    return answer(false, Sentence("node ", peer_id(), " did not follow within ", kOperatorBound));
  wake(bound);
}

}  // namespace hotpair::agent
