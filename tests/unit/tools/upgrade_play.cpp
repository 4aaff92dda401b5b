#include "tests/unit/tools/upgrade_play.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace hotpair::ctl::upgrade {
namespace {

using Kind = Task::Kind;

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::claim:
      return "claim";
    case Kind::start:
      return "start";
    case Kind::follow:
      return "follow";
    case Kind::look:
      return "look";
    case Kind::maintenance_on:
      return "out";
    case Kind::maintenance_off:
      return "back";
    case Kind::stop:
      return "stop";
    case Kind::release:
      return "release";
  }
  return "?";
}

}  // namespace

Play::Play() {
  pair.peer_known = pair.in_sync = pair.session_pickup = true;
  pair.agreed = 1;
  for (const int chassis : {1, 2}) {
    NodeView& each = node(chassis);
    each.chassis = chassis;
    each.alive = true;
    each.name = "fw" + std::to_string(chassis);
    each.role = chassis == 1 ? "backup" : "primary";
    each.forced = "none";
    each.version = "1.0";
    each.protocol_lowest = each.protocol_highest = 1;
    each.sessions = 100;
  }
  Run run;
  run.id = "20260301120000-1";
  run.command = "apt-get install -y hotpair";
  run.driver = 1;
  for (const int chassis : {1, 2}) run.before_of(chassis) = {node(chassis).name, "1.0", 1};
  run.steps = plan(1, 2);
  upgrade_.emplace(run);
}

std::optional<Outcome> Play::go(Duration most) {
  const Instant until = now_ + most;
  while (!outcome_ && now_ < until) {
    now_ += 250ms;
    if (task_) {
      const Task task = *std::exchange(task_, {});
      feed(answer(task));
    }
    if (!outcome_) feed(no_pair.empty() ? PairSeen{pair, ""} : PairSeen{std::nullopt, no_pair});
  }
  return outcome_;
}

void Play::interrupt() {
  feed(Interrupted{});
  go(1s);
}

void Play::resume(bool command_is_done) {
  ASSERT_TRUE(outcome_);
  outcome_.reset();
  upgrade_.emplace(Run(run()), command_is_done);
}

void Play::abort() {
  Run given_up = run();
  given_up.steps = plan_of_abort(given_up);
  given_up.state = RunState::aborting;
  outcome_.reset();
  task_.reset();
  upgrade_.emplace(given_up);
}

const Step& Play::step(StepKind kind, int chassis) const {
  return *std::find_if(run().steps.begin(), run().steps.end(),
                       [&](const Step& each) { return each.kind == kind && each.node == chassis; });
}

std::size_t Play::count(const std::string& task) const {
  return static_cast<std::size_t>(std::count(tasks.begin(), tasks.end(), task));
}

CommandReport Play::report(CommandReport::State state, int code) {
  return {state, code, false, "boot-a", "boot-a"};
}

void Play::feed(const Event& event) {
  Actions actions;
  upgrade_->step(now_, event, actions);
  for (const Action& action : actions) {
    if (const auto* task = std::get_if<Task>(&action)) {
      if (task_) wrongs.push_back("two tasks at once");
      task_ = *task;
      tasks.push_back(std::string(name_of(task->kind)) + " " + std::to_string(task->node));
      if (task->kind == Kind::start) {
        if (node(task->node).role != "backup") wrongs.push_back("a command on a primary");
        if (node(task->node).forced != "maintenance") wrongs.push_back("a command unannounced");
        if (on_start) on_start(task->node);
      }
    }
    if (std::holds_alternative<Drop>(action)) task_.reset();
    if (const auto* end = std::get_if<End>(&action)) outcome_ = end->outcome;
  }
}

TaskEnded Play::answer(const Task& task) {
  TaskEnded ended{task, true, true, "", report(CommandReport::State::running)};
  if (instead && instead(task, ended)) return ended;
  if (task.kind == Kind::maintenance_on) take_out(task.node);
  if (task.kind == Kind::maintenance_off) node(task.node).forced = "none";
  if (task.kind == Kind::follow) ended.report = report(CommandReport::State::ended);
  return ended;
}

// As the agents do it: a planned switchover first, which needs a backup in sync.
void Play::take_out(int chassis) {
  if (node(chassis).role == "primary") {
    if (!pair.synced()) wrongs.push_back("a switchover to a backup that is not in sync");
    node(chassis).role = "backup";
    node(other(chassis)).role = "primary";
  }
  node(chassis).forced = "maintenance";
}

}  // namespace hotpair::ctl::upgrade
