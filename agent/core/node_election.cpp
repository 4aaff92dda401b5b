// Who should be primary, and what holds a change back.
#include "agent/core/node_state.hpp"

namespace hotpair::agent {
namespace {

// Of the role within flap_backoff_max: there, back, and there again.
constexpr unsigned kFreeMoves = 3;

Reason described(const Verdict& verdict) {
  const ChassisId loser = other(verdict.winner);
  switch (verdict.criterion) {
    case Criterion::identical:
      return "nothing tells the two apart";
    case Criterion::incumbent:
      return Sentence("node ", verdict.winner, " ", verdict.winner_value, ", node ", loser, " ",
                      verdict.loser_value);
    case Criterion::remote:
      return Sentence("remote monitors: ", verdict.winner_value, " against ", verdict.loser_value);
    default:
      return Sentence(to_string(verdict.criterion), " ", verdict.winner_value, " against ",
                      verdict.loser_value);
  }
}

}  // namespace

bool Node::State::nobody_is_primary() const {
  return peer.alive() && role != Role::primary && peer.newest().role != Role::primary;
}

// Remote monitors are known by their number: with another cluster.yaml over there, numbers mean
// nothing.
ElectionRules Node::State::rules() const {
  ElectionRules rules = rules_of(config);
  if (peer.newest().cluster_digest != config.cluster_digest) rules.remote_monitors = {};
  return rules;
}

Node::State::Pair Node::State::candidates() const {
  const Heartbeat& theirs = peer.newest();
  // I8: who holds the newest sessions is not passed over on a tie-breaker.
  const auto tenure = incumbencies({role, table_epoch}, {theirs.role, theirs.table_epoch});
  return {{self(), vector, config.serial, tenure.a},
          {peer_id(), theirs.health, theirs.serial, tenure.b}};
}

// The verdict, and then `winner`, which stands above it where a node cannot follow it.
void Node::State::update_verdict(Instant now) {
  verdict_known = peer.known();
  winner = self();
  if (!verdict_known) return;
  const Heartbeat& theirs = peer.newest();
  const Pair pair = candidates();
  verdict = elect(pair.here, pair.there, rules());
  if (!peer.alive() || theirs.leaving) {
    impasse_since.reset();
    return;
  }
  winner = verdict.winner;
  if (pinned()) winner = self();
  if (role != Role::fault && theirs.role == Role::fault) winner = self();
  if (!nobody_is_primary() || theirs.role == Role::fault) {
    impasse_since.reset();
    impasse_reported = false;
    return;
  }
  // I10: nodes whose rules differ may each wait for the other, or each ask the other for ever.
  if (!impasse_since) impasse_since = now;
  const Duration bound = std::max<Duration>(config.hello_holddown, 1s);
  if (now - *impasse_since < bound) {
    wake(*impasse_since + bound);
  } else {
    winner = ChassisId::one;
    if (now - *impasse_since >= 2 * bound) {
      if (theirs.ask_round != 0) winner = peer_id();  // it may be unable to grant
    } else {
      wake(*impasse_since + 2 * bound);
    }
    if (!impasse_reported)
      report(ReportEvent::Level::warning, "impasse",
             Sentence("no primary for ", now - *impasse_since,
                      ": the nodes judge differently, so node ", winner, " goes first"));
    impasse_reported = true;
  }
  // Who cannot get rid of its addresses is the primary already, as far as the neighbours can tell.
  if (!addresses_gone() && addresses.failures() > 0) winner = self();
}

// A remote monitor is a value by what one node lacks against the other: a target that comes and
// goes for both voids nothing.
bool Node::State::pinned() const {
  if (!pin || role != Role::primary) return false;
  const auto same = [this](HealthVector a, const HealthVector& other_then, HealthVector b,
                           const HealthVector& other_now) {
    const unsigned then = remote_weight_lost(a, other_then, rules());
    const unsigned now = remote_weight_lost(b, other_now, rules());
    a.remote_known = a.remote_reached = b.remote_known = b.remote_reached = 0;
    return then == now && same_inputs(a, b);
  };
  const HealthVector& theirs = peer.newest().health;
  return same(pin->self, pin->peer, vector, theirs) && same(pin->peer, pin->self, theirs, vector);
}

// Something that it would have when all is well, or that the other reaches.
bool Node::State::lacks(const HealthVector& one, const HealthVector& other) const {
  return has_fault(one, config.board_failover_tolerance) ||
         remote_weight_lost(one, other, rules()) != 0;
}

bool Node::State::choice() const {
  const HealthVector& theirs = peer.newest().health;
  if (verdict.criterion == Criterion::forced) {
    // Who carries the traffic in maintenance does so because nobody else could: no sessions are
    // lost by what can wait.
    const Forced held = role == Role::primary ? vector.forced : theirs.forced;
    const Forced other = role == Role::primary ? theirs.forced : vector.forced;
    if (held != Forced::maintenance || other != Forced::none) return false;
  }
  return role == Role::primary ? !lacks(vector, theirs) : !lacks(theirs, vector);
}

std::optional<std::uint8_t> Node::State::agreed_protocol() const {
  return agree(config.protocol, peer.newest().protocol);
}

Reason Node::State::no_protocol() const {
  const auto spoken = [](const ProtocolRange& range) {
    Text<16> text(unsigned{range.lowest});
    if (range.highest != range.lowest) text << " to " << unsigned{range.highest};
    return text;
  };
  return Sentence("the nodes have no version of the protocol in common: node ", self(), " speaks ",
                  spoken(config.protocol).text(), ", node ", peer_id(), " speaks ",
                  spoken(peer.newest().protocol).text());
}

bool Node::State::in_sync() const {
  if (!agreed_protocol()) return false;
  if (role == Role::primary) return replication.in_sync && peer.alive();
  return peer_is(Role::primary) && peer.newest().replication.in_sync;
}

// I4: a takeover by choice needs a peer that means the same by it, and that holds every session.
Reason Node::State::gate(Instant now) {
  if (!agreed_protocol()) return no_protocol();
  if (config.session_pickup && !in_sync()) return unsynced();
  if (const Reason lacking = unequipped(); lacking.size != 0) return lacking;
  if (role_moved_at && now - *role_moved_at < config.hold) {
    wake(*role_moved_at + config.hold);
    return Sentence("held back by election.hold for ",
                    whole_seconds(*role_moved_at + config.hold - now), " more");
  }
  if (on_disk < reserved && disk.failures() > 0)
    return Sentence("the state file cannot be written: ", disk.error());
  return {};
}

// What the next primary would lack of the logical systems that the present one serves.
Reason Node::State::unequipped() const {
  const bool leaves = role == Role::primary;
  if (!leaves && !peer_is(Role::primary)) return {};
  const auto& lacking = leaves ? partitions.lacking_there : partitions.lacking_here;
  if (lacking.size == 0) return {};
  return Sentence("node ", leaves ? peer_id() : self(), " lacks ", lacking);
}

Reason Node::State::unsynced() const {
  const bool formed = role == Role::primary || peer_is(Role::primary);
  if (!formed) return "the backup is not in sync: there is no primary";
  if (!agreed_protocol()) return Sentence("the backup is not in sync: ", no_protocol());
  const ReplicationState& primary = role == Role::primary ? replication : peer.newest().replication;
  if (!primary.dataplane_alive)
    return "the backup is not in sync: the primary's data plane is not running";
  return Sentence("the backup is not in sync: ", primary.lag_sessions, " of ", primary.sessions,
                  " sessions are not acknowledged or not yet compared");
}

// While the two files differ, so may what the two vectors count.
Reason Node::State::election_gate(Instant now) {
  if (peer.newest().cluster_digest != config.cluster_digest)
    return "cluster.yaml is not the same on both nodes, so their values may not be comparable";
  return gate(now);
}

// Asked of the primary: it took part in every move that counts. Only moves from one living node to
// the other do, and none that was ordered.
Reason Node::State::damping(Instant now) {
  const Instant until = moves.at + moves.backoff.delay();
  if (now >= until || verdict.criterion == Criterion::forced || serves_nothing()) return {};
  wake(until);
  return Sentence("the role moved ", moves.backoff.count(),
                  " times in quick succession; suppressed by election.flap_backoff for ",
                  whole_seconds(until - now), " more");
}

bool Node::State::serves_nothing() const {
  const HealthVector& theirs = peer.newest().health;
  if (vector.bandwidth_mbps == 0 && theirs.bandwidth_mbps != 0) return true;
  return addresses.failures() > 0 && !has_fault(theirs, config.board_failover_tolerance);
}

void Node::State::note_move(Instant now) {
  if (verdict.criterion == Criterion::forced) return;
  moves.backoff.note(now - moves.at - moves.backoff.delay(), kFreeMoves, config.flap_backoff,
                     config.flap_backoff_max);
  moves.at = now;
}

// A link in its back-off is worth a word when the role would be elsewhere with it.
void Node::State::note_held_link(Instant now) {
  if (suppressed.size != 0 || !verdict_known || !peer.alive()) return;
  const auto held = health.held();
  if (!held) return;
  Pair pair = candidates();
  pair.here.health = health.vector_without_backoff(forced);
  if (elect(pair.here, pair.there, rules()).winner == verdict.winner) return;
  wake(held->until);
  suppressed = Sentence(held->name, " went down ", held->bounces,
                        " times in quick succession; suppressed by election.flap_backoff for ",
                        whole_seconds(held->until - now), " more");
}

// What the verdict would be right after the move that an operator plans. A node in maintenance
// takes nothing back, so there it is enough that the other one lacks nothing.
Reason Node::State::bounce(bool for_maintenance) const {
  if (for_maintenance && !lacks(peer.newest().health, vector)) return {};
  const bool ours_after = role != Role::primary;
  const auto held = [](bool by_it) { return by_it ? Incumbency::primary : Incumbency::none; };
  const Candidate here{self(), vector, config.serial, held(ours_after)};
  const Candidate there{peer_id(), peer.newest().health, peer.newest().serial, held(!ours_after)};
  const Verdict after = elect(here, there, rules());
  const ChassisId wanted = ours_after ? self() : peer_id();
  if (after.winner == wanted) return {};
  return Sentence("node ", after.winner, " would take the role straight back: ", described(after));
}

// With what the loser lacks by its name, so that nobody has to look for it.
Reason Node::State::verdict_reason() const {
  Sentence reason(described(verdict).view());
  const bool here = verdict.winner != self();
  if (verdict.criterion == Criterion::modules) {
    const auto& failed = here ? health.first_failed() : peer.newest().failed_module;
    if (failed.size != 0) reason << " (" << failed << ")";
  }
  if (verdict.criterion == Criterion::bandwidth || verdict.criterion == Criterion::lags) {
    const auto lost = here ? health.lost_interfaces() : peer.newest().lost_interfaces;
    for (std::size_t i = 0; i < lost.size(); ++i) reason << (i == 0 ? " (lost " : ", ") << lost[i];
    if (!lost.empty()) reason << ")";
  }
  return reason;
}

}  // namespace hotpair::agent
