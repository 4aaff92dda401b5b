// What each kind of step waits for, and what it has done.
#include <algorithm>

#include "platform/base/words.hpp"
#include "tools/ctl/upgrade/upgrade.hpp"

namespace hotpair::ctl::upgrade {
namespace {

std::string range(const NodeView& node) {
  const std::string lowest = std::to_string(node.protocol_lowest);
  return node.protocol_lowest == node.protocol_highest
             ? lowest
             : lowest + " to " + std::to_string(node.protocol_highest);
}

std::string sessions(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " session" : " sessions");
}

// Told to end by a box that goes down is how a command ends that has restarted it.
bool succeeded(const CommandReport& report) {
  constexpr int kToldToEnd = 143;
  return report.state == CommandReport::State::ended &&
         (report.code == 0 || (report.going_down && report.code == kToldToEnd));
}

bool one_primary(const PairView& pair) {
  return (pair.self.role == "primary") != (pair.peer.role == "primary");
}

}  // namespace

bool Upgrade::pursue_check() {
  if (busy_) return false;
  if (!pair_) {
    refuse(no_pair_, Outcome::unreachable);
    return false;
  }
  if (const std::string why = why_not_to_begin(*pair_); !why.empty()) {
    refuse(why);
    return false;
  }
  const auto first = std::find_if(run_.steps.begin(), run_.steps.end(),
                                  [](const Step& step) { return step.kind == StepKind::take_out; });
  if (first == run_.steps.end() || pair_->node(first->node).role != "backup") {
    refuse("the role has just moved; begin again");
    return false;
  }
  note_before();
  begin_task(Task::Kind::claim, to_release_.empty() ? run_.driver : other(run_.driver));
  return false;
}

void Upgrade::note_before() {
  for (const NodeView* node : {&pair_->self, &pair_->peer})
    run_.before_of(node->chassis) = {node->name, node->version, node->protocol_highest};
}

void Upgrade::after_claim(const TaskEnded& ended) {
  const std::string& name = run_.name_of(ended.task.node);
  if (!ended.reached) return refuse(name + " cannot be told: " + ended.text);
  if (!ended.ok) return refuse(ended.text);
  to_release_.push_back(ended.task.node);
  if (to_release_.size() < 2) return;
  to_release_.clear();
  if (!pair_) return;
  const NodeView& primary = pair_->self.role == "primary" ? pair_->self : pair_->peer;
  present().detail = primary.name + " is primary, " + sessions(primary.sessions) +
                     (pair_->session_pickup ? ", in sync" : ", not replicated");
  done_ = true;
}

bool Upgrade::pursue_take_out(Step& step) {
  if (!pair_) return wait_for(no_pair_);
  const NodeView& node = pair_->node(step.node);
  const NodeView& holder = pair_->node(other(step.node));
  const std::string unmet =
      why_not_ready(*pair_, node.role == "primary" ? other(step.node) : step.node);
  if (node.forced == "maintenance") {
    if (node.role != "backup" || !unmet.empty())
      return wait_for(unmet.empty() ? node.name + " is " + node.role : unmet);
    step.detail = holder.name + " is primary";
    if (step.moves_role && sessions_before_ != 0)
      step.detail += "; " + sessions(sessions_before_) + " before, " +
                     std::to_string(holder.sessions) + " after";
    return true;
  }
  if (!free_to_act()) return false;
  if (!unmet.empty()) return wait_for(unmet);
  sessions_before_ = node.role == "primary" ? node.sessions : 0;
  begin_task(Task::Kind::maintenance_on, step.node);
  return false;
}

void Upgrade::after_order(const TaskEnded& ended) {
  // What was obeyed is seen with one of the next looks at the pair.
  wait_and_retry(ended.text);
}

bool Upgrade::pursue_command(Step& step) {
  if (command_is_done_) {
    if (busy_) out_->push_back(Drop{});
    busy_.reset();
    step.detail = "seen to by an operator";
    return true;
  }
  const std::string& name = run_.name_of(step.node);
  if (pair_ && !pair_->node(step.node).alive) {
    // A connection to a box without power says nothing more, not even that it is over.
    if (busy_) {
      out_->push_back(Drop{});
      phase_ = phase_ == Phase::start ? Phase::look : phase_;
    }
    busy_.reset();
    return wait_for(name + " is not heard");
  }
  if (!free_to_act()) return false;
  switch (phase_) {
    case Phase::look:
      begin_task(Task::Kind::look, step.node);
      return false;
    case Phase::follow:
      begin_task(Task::Kind::follow, step.node);
      return false;
    case Phase::start:
      break;
  }
  if (!pair_) return wait_for(no_pair_);
  if (pair_->node(step.node).role == "primary") {
    fail(name + " carries the traffic (its peer was lost meanwhile): nothing is run on it",
         "when both nodes are back, 'hotpair upgrade --abort', then begin anew");
    return false;
  }
  ++step.attempts;
  offset_ = 0;
  output_.clear();
  save();  // before it is so: who resumes must know that it may run
  begin_task(Task::Kind::start, step.node);
  return false;
}

void Upgrade::after_command_task(Step& step, const TaskEnded& ended) {
  if (!ended.reached) {
    if (ended.task.kind == Task::Kind::start) phase_ = Phase::look;  // it may have begun
    return wait_and_retry(run_.name_of(step.node) + " is out of reach: " + ended.text);
  }
  using State = CommandReport::State;
  if (ended.task.kind == Task::Kind::start) {
    if (!ended.ok) return fail(ended.text, retry_advice(step));
    phase_ = Phase::follow;
    return;
  }
  if (ended.report.state == State::running) {
    phase_ = Phase::follow;
    waiting_for_ = "the command still runs";
    return;
  }
  if (ended.task.kind == Task::Kind::look && !succeeded(ended.report)) {
    phase_ = Phase::start;  // again: an operator has resumed it
    return;
  }
  after_command_end(step, ended.report);
}

void Upgrade::after_command_end(Step& step, const CommandReport& report) {
  using State = CommandReport::State;
  const std::string& name = run_.name_of(step.node);
  if (succeeded(report)) {
    run_.boot_of(step.node) = report.going_down ? report.boot_then : "";
    step.detail = report.going_down ? "the box restarts" : "exit status 0";
    done_ = true;
    return;
  }
  const std::string next = "mend it on " + name +
                           ", then 'hotpair upgrade --resume' runs the command there again "
                           "('--resume --done': goes on without); 'hotpair upgrade --abort' gives "
                           "it up";
  if (report.state == State::ended)
    return fail("the command ended with status " + std::to_string(report.code), next);
  fail(
      report.state == State::vanished
          ? "the command was cut off (its box was restarted, or it was killed): how far it came is "
            "not known"
          : "what was known of the command on " + name + " is gone",
      next);
}

bool Upgrade::pursue_comeback(Step& step) {
  if (!pair_) return wait_for(no_pair_);
  const NodeView& node = pair_->node(step.node);
  const NodeView& holder = pair_->node(other(step.node));
  const Before& before = run_.before_of(step.node);
  const std::string& boot = run_.boot_of(step.node);
  if (!boot.empty() && !rebooted_) {
    if (node.alive && free_to_act()) begin_task(Task::Kind::look, step.node);
    return wait_for(node.name + " is to restart, and has not yet");
  }
  if (node.alive && node.protocol_highest < before.protocol_highest) {
    fail(node.name + " speaks protocol " + range(node) + " now and spoke " +
             std::to_string(before.protocol_highest) + " before: it has become older",
         "install the same version or a newer one on " + node.name +
             ", then 'hotpair upgrade --resume'; 'hotpair upgrade --abort' gives it up");
    return false;
  }
  if (node.alive && holder.alive && !pair_->agreed) {
    // Not at once: one of the two may be in the middle of a restart.
    waiting_for_ = node.name + " speaks protocol " + range(node) + ", " + holder.name + " " +
                   range(holder) +
                   ": there is no version that both know, so sessions cannot go over";
    if (steady())
      fail(waiting_for_,
           "bring a version to " + node.name + " that knows both, then 'hotpair upgrade --resume'");
    return false;
  }
  if (const std::string unmet = why_not_ready(*pair_, step.node); !unmet.empty())
    return wait_for(unmet);
  waiting_for_ = "it to last";
  if (!steady()) return false;
  step.detail = before.version == node.version
                    ? "version " + node.version + ", as before"
                    : "version " + before.version + " -> " + node.version;
  if (node.protocol_highest != before.protocol_highest)
    step.detail += ", protocol " + std::to_string(before.protocol_highest) + " -> " +
                   std::to_string(node.protocol_highest);
  step.detail += ", " + sessions(node.sessions);
  return true;
}

bool Upgrade::pursue_put_back(Step& step) {
  if (!pair_) return wait_for(no_pair_);
  const NodeView& node = pair_->node(step.node);
  const std::string& name = run_.name_of(step.node);
  if (run_.state == RunState::aborting && !node.alive) {
    fail(name + " is not heard; 'hotpair maintenance off' there when it is back", "");
    return false;
  }
  if (node.forced == "maintenance") {
    steady_since_.reset();
    if (free_to_act()) begin_task(Task::Kind::maintenance_off, step.node);
    if (waiting_for_.empty()) waiting_for_ = name + " is still in maintenance";
    return false;
  }
  // At the end the election may move the role once more (override).
  const bool last = run_.current() + 1 == run_.steps.size() && run_.state != RunState::aborting;
  if (!last) return true;
  if (!pair_->peer.alive || !one_primary(*pair_) || !pair_->synced())
    return wait_for("the pair to be whole");
  waiting_for_ = "it to last";
  if (!steady()) return false;
  const NodeView& primary = pair_->self.role == "primary" ? pair_->self : pair_->peer;
  step.detail = primary.name + " is primary, " + sessions(primary.sessions);
  if (primary.chassis == step.node) step.detail += "; the election gave the role back";
  return true;
}

bool Upgrade::pursue_stop(Step& step) {
  if (pair_ && !pair_->node(step.node).alive) {
    fail(run_.name_of(step.node) + " is not heard", "");
    return false;
  }
  if (free_to_act()) begin_task(Task::Kind::stop, step.node);
  return false;
}

}  // namespace hotpair::ctl::upgrade
