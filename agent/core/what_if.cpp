// Runs the real decisions on a copy of the node's state.
#include "agent/core/what_if.hpp"

#include "agent/core/node_state.hpp"

namespace hotpair::agent {
namespace {

using Kind = Assumption::Kind;

std::size_t index_of(ChassisId id) {
  return static_cast<std::size_t>(id) - 1;
}

}  // namespace

// The copy with the assumptions in it. Members are named after what they assume.
class Node::Rehearsal {
 public:
  Rehearsal(const State& real, Instant now) : s_(std::make_unique<State>(real)), now_(now) {
    s_->out = scratch_.get();
    heartbeat_ = s_->peer.newest();
  }
  WhatIf answer(std::span<const Assumption> assumptions);
  FailoverPlan plan(bool by_force);

 private:
  Reason assume(const Assumption& assumption);
  Reason assume_link(const Assumption& assumption);
  Reason assume_remote(const Assumption& assumption);
  void assume_module(const Assumption& assumption);
  void judge();
  void judge_pair();
  void judge_silence();
  void judge_own_end();
  void tell(ChassisId winner, ReportRoleChange::Kind kind, const Reason& why);
  void fill_rows();
  FailoverPlan plan_alone();
  void add_takeover(ChassisId node);
  void add_step(ChassisId node, std::string_view name, const ShortText<128>& text);

  bool here(const Assumption& a) const { return a.node == s_->self(); }
  HealthVector& vector_of(const Assumption& a) { return here(a) ? s_->vector : heartbeat_.health; }
  std::optional<ChassisId> primary() const;

  std::unique_ptr<Actions> scratch_ = std::make_unique<Actions>();
  std::unique_ptr<State> s_;
  Instant now_;
  Heartbeat heartbeat_;  // the peer's, as assumed
  bool own_power_ = true, peer_power_ = true;
  WhatIf result_;
  FailoverPlan plan_;
};

WhatIf Node::what_if(std::span<const Assumption> assumptions, Instant now) const {
  return Rehearsal(*state_, now).answer(assumptions);
}

FailoverPlan Node::plan_failover(bool by_force, Instant now) const {
  return Rehearsal(*state_, now).plan(by_force);
}

std::optional<ChassisId> Node::Rehearsal::primary() const {
  if (s_->role == Role::primary) return s_->self();
  if (s_->peer_is(Role::primary)) return s_->peer_id();
  return std::nullopt;
}

WhatIf Node::Rehearsal::answer(std::span<const Assumption> assumptions) {
  result_.primary_now = primary();
  for (const Assumption& assumption :
       assumptions.first(std::min(assumptions.size(), kMaxAssumptions))) {
    result_.refused = assume(assumption);
    if (result_.refused.size != 0) return result_;
  }
  s_->peer.assume(heartbeat_, peer_power_, now_);
  result_.health[index_of(s_->self())] = s_->vector;
  result_.health[index_of(s_->peer_id())] = heartbeat_.health;
  judge();
  return result_;
}

Reason Node::Rehearsal::assume(const Assumption& a) {
  if (!here(a) && !s_->peer.known() && a.kind != Kind::power)
    return Sentence("node ", a.node, " was never heard, so nothing is known that could change");
  switch (a.kind) {
    case Kind::link:
      return assume_link(a);
    case Kind::remote:
      return assume_remote(a);
    case Kind::management:
      vector_of(a).management_link = a.good;
      break;
    case Kind::module:
      assume_module(a);
      break;
    case Kind::forced:
      vector_of(a).forced = a.forced;
      if (here(a)) s_->forced = a.forced;
      break;
    case Kind::uptime:
      vector_of(a).uptime_s = static_cast<std::uint32_t>(
          std::clamp<std::int64_t>(to_ms(a.uptime) / 1000, 0, UINT32_MAX));
      break;
    case Kind::power:
      (here(a) ? own_power_ : peer_power_) = a.good;
      break;
  }
  return {};
}

// The peer says only the sum of its interfaces: one of its links is taken for as fast as ours.
Reason Node::Rehearsal::assume_link(const Assumption& a) {
  const std::optional<std::size_t> index = s_->health.find(a.name.view());
  if (!index)
    return Sentence("no data interface is called '", a.name,
                    "': 'hotpair status' lists those that are monitored");
  const bool lag = s_->config.data_interfaces[*index].lag;
  HealthVector& vector = vector_of(a);
  const std::uint64_t speed = s_->health.full_speed(*index);
  if (here(a)) {
    s_->health.assume_link(*index, a.good);
    const HealthVector after = s_->health.vector(s_->forced);
    vector.bandwidth_mbps = after.bandwidth_mbps;
    vector.good_lags = after.good_lags;
    return {};
  }
  const auto name = s_->health.shown_name(*index);
  const auto& lost = heartbeat_.lost_interfaces;
  const bool down = std::find(lost.begin(), lost.end(), name) != lost.end();
  if (down != a.good) return {};
  result_.notes.push_back(Sentence("node ", a.node, "'s ", a.name, " is taken for as fast as node ",
                                   s_->self(), "'s: ", speed, " Mbit/s"));
  if (a.good) {
    vector.bandwidth_mbps = std::min(vector.bandwidth_mbps + speed, vector.full_bandwidth_mbps);
    if (lag && vector.good_lags < vector.full_lags) ++vector.good_lags;
    return {};
  }
  vector.bandwidth_mbps -= std::min(speed, vector.bandwidth_mbps);
  if (lag && vector.good_lags > 0) --vector.good_lags;
  if (!heartbeat_.lost_interfaces.full()) heartbeat_.lost_interfaces.push_back(name);
  return {};
}

Reason Node::Rehearsal::assume_remote(const Assumption& a) {
  const auto& monitors = s_->config.remote_monitors;
  for (std::size_t i = 0; i < monitors.size(); ++i) {
    if (monitors[i].address.view() != a.name.view()) continue;
    const std::uint32_t bit = std::uint32_t{1} << i;
    HealthVector& vector = vector_of(a);
    vector.remote_known |= bit;
    if (a.good)
      vector.remote_reached |= bit;
    else
      vector.remote_reached &= ~bit;
    return {};
  }
  return Sentence("no remote monitor watches ", a.name,
                  ": monitor.remote in cluster.yaml lists them");
}

void Node::Rehearsal::assume_module(const Assumption& a) {
  if (a.module_ok && *a.module_ok == a.good) return;
  std::uint8_t& failed = vector_of(a).failed_modules;
  if (!a.module_ok && !here(a))
    result_.notes.push_back(Sentence("module ", static_cast<unsigned>(a.slot), " of node ", a.node,
                                     " is taken for one that ", a.good ? "had failed" : "was ok"));
  if (a.good && failed > 0) --failed;
  if (!a.good && failed < UINT8_MAX) ++failed;
}

void Node::Rehearsal::judge() {
  if (!own_power_) return judge_own_end();
  if (!s_->peer.alive()) return judge_silence();
  judge_pair();
}

void Node::Rehearsal::tell(ChassisId winner, ReportRoleChange::Kind kind, const Reason& why) {
  result_.primary_after = winner;
  result_.moves = result_.primary_now != result_.primary_after;
  result_.kind = kind;
  if (!result_.moves) {
    result_.held_back = {};
    result_.text = Sentence("node ", winner, " stays primary: ", why);
  } else if (result_.held_back.size == 0) {
    result_.text = Sentence("node ", winner, " becomes primary: ", why);
  } else {
    result_.text = Sentence("node ", winner, " should be primary (", why, "), but the role waits");
  }
}

// Both live: the election, and what the primary would object to the other's ask.
void Node::Rehearsal::judge_pair() {
  using Change = ReportRoleChange::Kind;
  s_->update_verdict(now_);
  result_.compared = true;
  result_.verdict = s_->verdict;
  fill_rows();
  if (!result_.primary_now) return tell(s_->winner, Change::start, s_->verdict_reason());
  const bool fault = !s_->choice();
  if (s_->winner != *result_.primary_now) {
    heartbeat_.ask_round = 1;
    heartbeat_.ask_cause = AskCause::election;
    s_->peer.assume(heartbeat_, true, now_);
    if (s_->role == Role::primary)
      result_.held_back = s_->objection(now_);
    else if (!fault)
      result_.held_back = s_->election_gate(now_);
  }
  tell(s_->winner, fault ? Change::failover : Change::switchover, s_->verdict_reason());
}

// The peer is silent: whether this node is, or becomes, primary alone.
void Node::Rehearsal::judge_silence() {
  if (s_->role != Role::primary) {
    result_.held_back = s_->split_brain_hold(now_);
    if (s_->neighbour_may_be_primary(now_))
      result_.held_back = Sentence("the peer is heard misconfigured: ", s_->proven.seen.detail);
  }
  if (result_.primary_now == s_->peer_id())
    return tell(s_->self(), ReportRoleChange::Kind::failover,
                Sentence("node ", s_->peer_id(), " falls silent, which is known after ",
                         s_->config.detection_time()));
  tell(s_->self(),
       result_.primary_now ? ReportRoleChange::Kind::failover : ReportRoleChange::Kind::start,
       Sentence("node ", s_->peer_id(), " is not alive"));
}

void Node::Rehearsal::judge_own_end() {
  if (!s_->peer.alive()) {
    result_.moves = result_.primary_now.has_value();
    result_.text = "no node would be left";
    return;
  }
  if (s_->config.split_brain == SplitBrain::stay)
    result_.held_back = "election.split_brain is stay: a silence alone moves nothing";
  if (s_->config.split_brain == SplitBrain::witness)
    result_.notes.push_back(Sentence("node ", s_->peer_id(), " waits until witness ",
                                     s_->config.witness, " answers it"));
  tell(s_->peer_id(), ReportRoleChange::Kind::failover,
       Sentence("node ", s_->self(), " falls silent, which is known after ",
                s_->config.detection_time()));
}

void Node::Rehearsal::fill_rows() {
  const State::Pair pair = s_->candidates();
  const bool self_is_one = s_->self() == ChassisId::one;
  const Candidate& one = self_is_one ? pair.here : pair.there;
  const Candidate& two = self_is_one ? pair.there : pair.here;
  const ElectionRules rules = s_->rules();
  for (const Criterion criterion : election_order(rules)) {
    const CriterionValues values = criterion_values(criterion, one, two, rules);
    result_.rows.push_back({criterion, values.a, values.b, criterion == result_.verdict.criterion});
  }
}

void Node::Rehearsal::add_step(ChassisId node, std::string_view name, const ShortText<128>& text) {
  plan_.steps.push_back({node, name, text});
}

FailoverPlan Node::Rehearsal::plan(bool by_force) {
  plan_.text = s_->failover_refusal(by_force, now_);
  if (plan_.text.size != 0) return plan_;
  plan_.allowed = true;
  const bool gives = s_->role == Role::primary;
  const ChassisId from = gives ? s_->self() : s_->peer_id();
  const ChassisId to = other(from);
  if (!s_->peer.alive()) return plan_alone();
  const bool dataplane = s_->config.session_pickup;
  plan_.text = Sentence("the role would move from node ", from, " to node ", to,
                        by_force ? ", by force" : ", planned");
  if (dataplane && !by_force)
    add_step(from, to_string(Stage::drain),
             Text<128>("until the backup acknowledged every change, at most ", kPlannedDrainBound));
  add_step(from, to_string(Stage::withdraw), Text<128>("at most ", kAddressBound));
  if (dataplane)
    add_step(from, to_string(Stage::dataplane_back),
             Text<128>("to backup, at most ", kDataplaneBound));
  add_step(from, "grant", Text<128>("valid for ", kGrantBound));
  add_takeover(to);
  return plan_;
}

void Node::Rehearsal::add_takeover(ChassisId node) {
  if (s_->config.session_pickup)
    add_step(node, to_string(Stage::dataplane), Text<128>("to primary, at most ", kDataplaneBound));
  add_step(node, to_string(Stage::claim), Text<128>("at most ", kAddressBound));
  add_step(node, "announce", "repeated as takeover.garp says");
  add_step(node, "hooks", "takeover.hooks.primary");
}

// Held back by the split-brain policy, and ordered all the same.
FailoverPlan Node::Rehearsal::plan_alone() {
  plan_.text =
      Sentence("node ", s_->self(), " would take the role alone: ",
               s_->peer.known() ? s_->peer.silent_reason(now_) : Reason("no peer is heard"),
               "; if node ", s_->peer_id(), " is primary all the same, both will be");
  add_takeover(s_->self());
  return plan_;
}

}  // namespace hotpair::agent
