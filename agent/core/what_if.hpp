// Answers to "what would you do if": the node's whole present state is copied, the assumptions are
// written into the copy, and the same functions decide that decide for real. Nothing is carried out
// and the node itself stays as it is. Asked through Node::what_if() and Node::plan_failover(),
// which allocate (the copy) and are meant for operators, not for the step.
#pragma once

#include <optional>
#include <span>

#include "agent/core/action.hpp"
#include "agent/core/election.hpp"

namespace hotpair::agent {

// One thing taken for true about one node, on top of what is known.
struct Assumption {
  enum class Kind : std::uint8_t { link, management, module, remote, forced, uptime, power };
  ChassisId node = ChassisId::one;
  Kind kind = Kind::link;
  bool good = false;      // link or management up; module ok; remote monitor reached; power on
  ShortText<48> name{};   // link: the cluster's name of the data interface; remote: the address
  std::uint8_t slot = 0;  // module: only for the words of the answer
  // module: whether that slot is ok now, which only the shell knows; without it an assumed failure
  // adds one failed module and an assumed recovery takes one away.
  std::optional<bool> module_ok{};
  Forced forced = Forced::none;
  Duration uptime{};
};
constexpr std::size_t kMaxAssumptions = 16;

struct WhatIf {
  Reason refused;         // non-empty: an assumption cannot be made; nothing else is then filled
  bool compared = false;  // both nodes live under the assumptions, so the election was held
  Verdict verdict;        // meaningful when compared
  struct Row {
    Criterion criterion = Criterion::identical;
    ShortText<48> one, two;  // what node 1 and node 2 bring
    bool decides = false;
  };
  StaticVector<Row, kCriteria> rows;     // in the order they are asked; empty unless compared
  std::array<HealthVector, 2> health{};  // of node 1 and node 2, as assumed
  std::optional<ChassisId> primary_now;
  std::optional<ChassisId> primary_after;  // once nothing holds the move back
  bool moves = false;                      // the two differ
  // Of the move: failover (death or fault), switchover (choice), start (nobody was primary).
  ReportRoleChange::Kind kind = ReportRoleChange::Kind::start;
  Reason held_back;  // non-empty: the move is wanted and would wait at present, and why
  Reason text;       // the answer as one sentence
  StaticVector<Reason, kMaxAssumptions + 1> notes;  // what had to be guessed or is up to the peer
};

// What a `failover` would do if it were ordered now.
struct FailoverPlan {
  bool allowed = false;
  Reason text;  // the refusal, or what would happen
  struct Step {
    ChassisId node = ChassisId::one;
    ShortText<24> name;
    ShortText<128> text;
  };
  StaticVector<Step, 10> steps;  // in order; empty when refused
};

}  // namespace hotpair::agent
