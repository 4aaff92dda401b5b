// The role without the peer's word: a peer that is silent on every path is dead, or cut off and
// primary. What the pair does then is election.split_brain.
//
// Evidence that it is dead, or holds nothing, ends the question: it left in order; it had granted
// the role to this node; its heartbeats go on and say that its main loop stands still, so that its
// warden takes the addresses away. An operator's word stands above it.
#include "agent/core/node_state.hpp"

namespace hotpair::agent {

bool Node::State::peer_is_gone(Instant now) const {
  return peer.known() && (peer.newest().leaving || split.granted || peer.speaks(now));
}

Reason Node::State::alone_reason(Instant now) const {
  const Reason silence =
      peer.known() && (role == Role::backup || peer.speaks(now)) ? peer.silent_reason(now)
      : role == Role::backup
          ? Reason("no peer was ever heard")
          : Sentence("no peer heard for ",
                     now - std::max(started, listening_until - config.hello_holddown));
  if (config.split_brain == SplitBrain::takeover || peer.speaks(now)) return silence;
  if (split.ordered) return Sentence("'failover --force' was ordered: ", silence);
  if (forced == Forced::primary) return Sentence(silence, ", and this node is forced primary");
  if (peer.known() && peer.newest().leaving) return Sentence(silence, ", and it had left in order");
  if (split.granted) return Sentence(silence, ", and it had given the role to this node");
  if (config.split_brain == SplitBrain::witness)
    return Sentence(silence, ", and witness ", config.witness, " answers");
  return Sentence(silence, ", and this node was primary alone before it stood still");
}

Reason Node::State::split_brain_hold(Instant now) {
  if (config.split_brain == SplitBrain::takeover || split.ordered || forced == Forced::primary ||
      peer_is_gone(now))
    return {};
  const Reason silent = peer.known() ? peer.silent_reason(now) : Reason("no peer is heard");
  if (config.split_brain == SplitBrain::stay) {
    // Nobody else can have taken the role meanwhile: this policy binds both.
    if (split.resumes) return {};
    return Sentence(silent,
                    "; suppressed by election.split_brain (stay) until the peer is heard or "
                    "'hotpair failover --force' is ordered");
  }
  if (!split.witness_answers)
    return Sentence(silent, "; suppressed by election.split_brain until witness ", config.witness,
                    " answers");
  // An answer from before a cut says nothing about it, and the cut may have come as late as when
  // the first heartbeat was missed.
  const Instant silent_since =
      peer.known() ? now - peer.silence(now) + 2 * config.interval : started;
  const Instant trusted_at = silent_since + config.witness_patience;
  if (split.witness_told_at > silent_since || now >= trusted_at) return {};
  wake(trusted_at);
  return Sentence(silent, "; suppressed by election.split_brain until witness ", config.witness,
                  " answers anew, ", trusted_at - now, " at most");
}

bool Node::State::held_by_split_brain(Instant now) {
  suppressed = split_brain_hold(now);
  if (suppressed.size == 0) return false;
  // A witness is given its moment before anybody is alarmed.
  const bool awaited = config.split_brain == SplitBrain::witness && split.witness_answers;
  if (!split.reported && !awaited) {
    split.reported = true;
    report(ReportEvent::Level::error, "split-brain", suppressed);
  }
  return true;
}

}  // namespace hotpair::agent
