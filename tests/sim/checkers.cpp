#include "tests/sim/checkers.hpp"

#include "agent/core/health.hpp"
#include "agent/core/takeover.hpp"
#include "tests/sim/world.hpp"

namespace hotpair::simulation {
using namespace agent;

namespace {

constexpr Duration kStandstill = 2s;  // the longest of a box in the swarm

}  // namespace

void Checkers::fail(const Box& box, const std::string& what) {
  if (!violation_.empty()) return;
  violation_ = "node " + std::to_string(static_cast<int>(box.id())) + ": " + what;
  world_.tell("VIOLATION " + violation_);
}

Checkers::Seen& Checkers::seen(const Box& box) {
  return seen_[static_cast<std::size_t>(box.id()) - 1];
}

void Checkers::started(Box& box) {
  Seen& s = seen(box);
  s.role = Role::init;
  s.epoch = {};
  s.succeeded_at.reset();
  s.served = s.in_transaction = s.unready_choice = s.unagreed_choice = false;
  s.elected.reset();
  s.hears_peer = false;
}

void Checkers::stopped(Box& box) {
  if (box.persist_in_flight()) disk_is_reliable = false;
  seen(box).role = Role::init;
  seen(box).elected.reset();
  seen(box).hears_peer = false;
}

void Checkers::after_step(Box& box, const std::vector<Action>& actions) {
  const NodeStatus status = box.status();
  const bool faulty = has_fault(status.health, box.config.board_failover_tolerance) ||
                      remote_weight_lost(status.health, status.peer.health, rules_of(box.config));
  if (faulty) seen(box).faulty_at = world_.timeline.now();
  if (status.replication.in_sync) seen(box).in_sync_at = world_.timeline.now();
  if (box.witness_answers) seen(box).witness_at = world_.timeline.now();
  note_status(box, status);
  check_epochs(box, status);
  check_grant(box);
  check_addresses();
  check_one_primary(box);
  check_unmoved(box);
  check_reports(box, actions);
  note_move(box, status, faulty, actions);
  check_progress(box);
  Seen& s = seen(box);
  s.served = s.served || s.role == Role::primary;
  if (s.policy != box.config.split_brain) s.policy_since = world_.timeline.now();
  s.policy = box.config.split_brain;
  if (s.hold != box.config.hold || s.pickup != box.config.session_pickup)
    s.gates_since = world_.timeline.now();
  s.hold = box.config.hold;
  s.pickup = box.config.session_pickup;
}

// What stood when a primary began to give the role: what comes later does not count. That may be in
// the step in which its takeover ended.
void Checkers::note_move(const Box& box, const NodeStatus& status, bool faulty,
                         const std::vector<Action>& actions) {
  Seen& s = seen(box);
  const bool ended = std::any_of(actions.begin(), actions.end(), [](const Action& action) {
    return std::holds_alternative<ReportTransaction>(action);
  });
  const bool was = std::exchange(s.in_transaction, status.in_transaction) && !ended;
  const bool began = status.in_transaction && !was;
  if (s.role != Role::primary) {
    s.unready_choice = s.unagreed_choice = false;
  } else if (began) {
    s.unready_choice = box.config.session_pickup && !status.in_sync && !faulty;
    s.unagreed_choice = !agree(box.config.protocol, status.peer.protocol) && !faulty;
  }
}

void Checkers::note_status(const Box& box, const NodeStatus& status) {
  Seen& s = seen(box);
  s.elected.reset();
  if (status.verdict_known && status.peer_alive) s.elected = status.verdict.winner;
  s.hears_peer = status.peer_alive;
  s.explains = status.suppressed.size != 0 || status.conflict.size != 0 || status.in_transaction;
  if (status.suppressed.size != 0) world_.note(Fact::suppressed);
  if (status.conflict.size != 0) world_.note(Fact::conflict);
  if (status.dual_primary) world_.note(Fact::dual_primary);
}

// At most one primary an epoch, and no node takes an epoch twice or goes back.
void Checkers::check_epochs(Box& box, const NodeStatus& status) {
  Seen& s = seen(box);
  if (status.epoch < s.epoch) fail(box, "its epoch fell");
  s.epoch = status.epoch;
  const bool became = status.role == Role::primary && s.role != Role::primary;
  if (became)
    s.succeeded_at = s.role == Role::backup ? std::optional(box.local_now()) : std::nullopt;
  s.role = status.role;
  if (status.role != Role::primary) return;
  const auto [owner, first] = epoch_owner_.try_emplace(status.epoch.number, box.id());
  if (owner->second != box.id())
    fail(box, "two primaries in epoch " + std::to_string(status.epoch.number));
  if (became && disk_is_reliable && status.epoch <= s.primary_epoch)
    fail(box, "took epoch " + std::to_string(status.epoch.number) + " again");
  if (status.epoch > s.primary_epoch) s.primary_epoch = status.epoch;
}

void Checkers::check_grant(Box& box) {
  if (box.published().grant_round != 0 && box.holds_addresses())
    fail(box, "granted the role while it holds addresses");
  if (box.published().grant_round != 0 && box.published().role == Role::primary)
    fail(box, "granted the role while it is primary");
}

// Two nodes of which one at least hears the other do not both hold addresses for longer than the
// bound.
void Checkers::check_addresses() {
  Box& a = world_.box(1);
  Box& b = world_.box(2);
  const bool both = a.responsive() && b.responsive() && a.holds_addresses() &&
                    b.holds_addresses() && (seen_[0].hears_peer || seen_[1].hears_peer);
  if (!both) {
    both_hold_since_.reset();
    return;
  }
  if (!both_hold_since_) both_hold_since_ = world_.timeline.now();
  // Rules that differ are a draw until the hold-down is over.
  Duration bound = both_hold_bound;
  if (rules_may_differ)
    bound += std::max<Duration>({a.config.hello_holddown, b.config.hello_holddown, 1s});
  if (world_.timeline.now() - *both_hold_since_ > bound)
    fail(a, "both nodes hold addresses although one hears the other");
}

// Both run, speak with one password, and a path between them works.
bool Checkers::pair_can_talk() const {
  const Box& a = world_.box(1);
  const Box& b = world_.box(2);
  if (!a.responsive() || !b.responsive() || a.group != b.group || a.password != b.password)
    return false;
  unsigned paths = 0;
  for (PathId path = 0; path < kMaxPaths; ++path)
    if (a.config.paths[path].configured && b.config.paths[path].configured &&
        (path != kSessionSyncPath || (a.dataplane.alive && b.dataplane.alive)))
      paths |= 1u << path;
  return world_.network.any_quiet_path(paths);
}

// The hold-downs of an impasse (I10), the bounds of giving back and of taking over, and the time in
// which two nodes come to hear each other.
Duration Checkers::stated_time() const {
  const NodeConfig& a = world_.box(1).config;
  const NodeConfig& b = world_.box(2).config;
  return 3 * std::max<Duration>(std::max(a.hello_holddown, b.hello_holddown), 1s) +
         10 * std::max(a.detection_time(), b.detection_time()) + 4s;
}

void Checkers::check_one_primary(const Box& box) {
  const bool one = (seen_[0].role == Role::primary) != (seen_[1].role == Role::primary);
  if (one || !withdraw_is_reliable || !pair_can_talk()) {
    not_one_since_.reset();
    return;
  }
  if (!not_one_since_) not_one_since_ = world_.timeline.now();
  if (world_.timeline.now() - *not_one_since_ > stated_time())
    fail(box, "both nodes live and hear each other, and for " +
                  std::to_string(to_ms(stated_time())) + " ms there is not one primary");
}

// Where both nodes elect the one that is not primary and the role does not move, one says why. One
// that exits takes no role.
void Checkers::check_unmoved(const Box& box) {
  const Seen& a = seen_[0];
  const Seen& b = seen_[1];
  const bool wanted =
      a.elected && a.elected == b.elected &&
      seen_[static_cast<std::size_t>(other(*a.elected)) - 1].role == Role::primary &&
      !world_.box(static_cast<int>(*a.elected)).exits();
  if (!wanted || a.explains || b.explains || !pair_can_talk()) {
    unmoved_since_.reset();
    return;
  }
  if (!unmoved_since_) unmoved_since_ = world_.timeline.now();
  if (world_.timeline.now() - *unmoved_since_ > 2s)
    fail(box, "both nodes elect the other, the role does not move, and neither says why");
}

// What holds a move by choice back: the hold, by the node's own clock, and a backup without every
// session.
void Checkers::check_gates(const Box& box) {
  const Seen& s = seen(box);
  const Instant now = world_.timeline.now();
  if (s.hold != box.config.hold || s.pickup != box.config.session_pickup ||
      now - s.gates_since < kPersistBound + 2 * kStandstill)
    return;
  if (s.succeeded_at && box.local_now() - *s.succeeded_at < s.hold)
    fail(box, "gave the role by choice inside election.hold");
  if (s.pickup && now - s.in_sync_at > 2s)
    fail(box, "gave the role by choice to a backup that is not in sync");
}

void Checkers::check_reports(Box& box, const std::vector<Action>& actions) {
  for (const Action& action : actions) {
    if (const auto* change = std::get_if<ReportRoleChange>(&action)) {
      if (change->reason.size == 0) fail(box, "changed its role without a reason");
      if (change->elected && change->verdict.criterion != Criterion::identical &&
          (change->verdict.winner_value.size == 0 || change->verdict.loser_value.size == 0))
        fail(box, "decided by a criterion without values");
      check_evidence(box, *change);
      const std::string_view why = change->reason.view();
      const bool gave = why.starts_with("gave the role");
      // A fault, or equal tables, that were there when the move began may be gone since.
      const bool choice =
          world_.timeline.now() - seen(box).faulty_at > 4s && why.find("forced") == why.npos;
      if (gave && choice) check_gates(box);
      if (gave && seen(box).unready_choice && why.find("forced") == why.npos)
        fail(box, "began to give the role by choice to a backup that is not in sync");
      if (gave && seen(box).unagreed_choice && why.find("forced") == why.npos)
        fail(box, "began to give the role by choice to a node of no common version");
    }
    if (const auto* t = std::get_if<ReportTransaction>(&action))
      if (t->takeover && t->ok) {
        ++takeovers;
        longest_takeover = std::max(longest_takeover, t->total);
      }
  }
}

// Under a policy other than `takeover` nobody succeeds a peer that is merely silent.
void Checkers::check_evidence(const Box& box, const ReportRoleChange& change) {
  // What began under another policy goes on, and may stand still in between.
  const Seen& s = seen(box);
  const bool just_changed = s.policy != box.config.split_brain ||
                            world_.timeline.now() - s.policy_since < kPersistBound + kStandstill;
  if (s.policy == SplitBrain::takeover || just_changed || change.to != Role::primary) return;
  const std::string_view why = change.reason.view();
  if (!why.starts_with("peer silent") && !why.starts_with("no peer")) return;
  const auto says = [why](std::string_view evidence) { return why.find(evidence) != why.npos; };
  // What it names must be true, too.
  if (says("witness") && world_.timeline.now() - s.witness_at > kPersistBound + kStandstill)
    return fail(box, "took the role by a witness that does not answer");
  if (says("primary alone") && !s.served) return fail(box, "takes up a role that it did not have");
  for (const char* evidence :
       {"forced primary", "left in order", "given the role", "primary alone", "witness"})
    if (says(evidence)) return;
  fail(box, "took the role from a silent peer without evidence");
}

// A deadline that is already due would spin the shell's loop.
void Checkers::check_progress(Box& box) {
  Seen& s = seen(box);
  const Instant now = box.local_now();
  s.same_instant_steps = s.last_deadline_step == now ? s.same_instant_steps + 1 : 0;
  s.last_deadline_step = now;
  const auto next = box.next_deadline();
  if (next && *next <= now) fail(box, "names a deadline that has passed");
  if (s.same_instant_steps > 2000) fail(box, "wants to be woken at once for ever");
}

void Checkers::must_be_settled() {
  Box& a = world_.box(1);
  Box& b = world_.box(2);
  const auto describe = [](Box& x) {
    return std::string(to_string(x.status().role)) + (x.holds_addresses() ? "+addresses" : "");
  };
  const bool one = a.status().role == Role::primary && a.holds_addresses() &&
                   b.status().role == Role::backup && !b.holds_addresses();
  const bool two = b.status().role == Role::primary && b.holds_addresses() &&
                   a.status().role == Role::backup && !a.holds_addresses();
  if (one == two) return fail(a, "not settled: 1 " + describe(a) + ", 2 " + describe(b));
  const Box& primary = one ? a : b;
  const Box& backup = one ? b : a;
  if (primary.dataplane.alive && backup.dataplane.alive &&
      !backup.dataplane.follows(primary.dataplane))
    fail(backup, "its data plane does not follow the primary's");
}

}  // namespace hotpair::simulation
