#include "tools/ctl/upgrade/upgrade.hpp"

#include <utility>

namespace hotpair::ctl::upgrade {
namespace {

constexpr std::size_t kOutputKept = 64 * 1024;

}  // namespace

Upgrade::Upgrade(Run run, bool command_is_done)
    : run_(std::move(run)), command_is_done_(command_is_done) {
  run_.failure = {};
  if (run_.state == RunState::stopped) run_.state = RunState::running;
}

void Upgrade::step(Instant now, const Event& event, Actions& actions) {
  if (ended_) return;
  now_ = now;
  out_ = &actions;
  std::visit([this](const auto& what) { take(what); }, event);
  if (!ended_) pursue();
  out_ = nullptr;
}

void Upgrade::take(const PairSeen& seen) {
  pair_ = seen.pair;
  no_pair_ = seen.why;
}

void Upgrade::take(const TaskEnded& ended) {
  if (!busy_ || !(busy_->kind == ended.task.kind && busy_->node == ended.task.node)) return;
  busy_.reset();
  if (closing_ || !index_) return;
  Step& step = run_.steps[*index_];
  switch (ended.task.kind) {
    case Task::Kind::claim:
      return after_claim(ended);
    case Task::Kind::maintenance_on:
    case Task::Kind::maintenance_off:
      return after_order(ended);
    case Task::Kind::stop:
      if (!ended.reached) return wait_and_retry(ended.text);
      step.detail = ended.text;
      done_ = true;
      return;
    case Task::Kind::look:
      if (step.kind == StepKind::command) return after_command_task(step, ended);
      rebooted_ = ended.reached && ended.report.boot_now != run_.boot_of(step.node);
      if (!rebooted_) retry_at_ = now_ + 2s;
      return;
    case Task::Kind::start:
    case Task::Kind::follow:
      return after_command_task(step, ended);
    case Task::Kind::release:
      return;
  }
}

void Upgrade::take(const Output& output) {
  offset_ += output.text.size();
  output_ += output.text;
  if (output_.size() > kOutputKept) output_.erase(0, output_.size() - kOutputKept);
}

// Nothing is undone, and a command that runs is left to end: half of it would be worse than all.
void Upgrade::take(const Interrupted&) {
  if (closing_) {
    out_->push_back(Drop{});
    out_->push_back(End{*closing_});
    ended_ = true;
    return;
  }
  if (!index_ || run_.steps[*index_].kind == StepKind::check)
    return refuse("interrupted before anything was done");
  const Step& step = run_.steps[*index_];
  const bool runs = step.kind == StepKind::command && step.attempts > 0;
  stop_here("interrupted" +
                (runs ? "; the command goes on at " + run_.name_of(step.node) : std::string()),
            "'hotpair upgrade --resume' goes on from here; 'hotpair upgrade --abort' gives it up");
}

void Upgrade::pursue() {
  while (!ended_) {
    if (closing_) {
      if (busy_) return;
      if (to_release_.empty()) {
        out_->push_back(End{*closing_});
        ended_ = true;
        return;
      }
      begin_task(Task::Kind::release, to_release_.back());
      to_release_.pop_back();
      return;
    }
    const std::size_t current = run_.current();
    if (current == run_.steps.size()) {
      run_.state = run_.state == RunState::aborting ? RunState::aborted : RunState::finished;
      to_release_ = {1, 2};
      close(Outcome::finished);
      continue;
    }
    if (index_ != current) begin(current);
    Step& step = run_.steps[current];
    step.took = carried_ + (now_ - since_);
    const bool done = std::exchange(done_, false) || pursue_step(step);
    if (ended_ || closing_) continue;
    if (done) {
      finish_step();
      continue;
    }
    // The check is answered by itself; all others wait for something outside.
    if (step.kind != StepKind::check && step.state == StepState::running &&
        now_ - since_ > limit(step))
      fail(waiting_for_, retry_advice(step));
    if (step.state != StepState::done) return;
  }
}

bool Upgrade::pursue_step(Step& step) {
  switch (step.kind) {
    case StepKind::check:
      return pursue_check();
    case StepKind::take_out:
      return pursue_take_out(step);
    case StepKind::command:
      return pursue_command(step);
    case StepKind::comeback:
      return pursue_comeback(step);
    case StepKind::put_back:
      return pursue_put_back(step);
    case StepKind::stop:
      return pursue_stop(step);
  }
  return false;
}

void Upgrade::begin(std::size_t index) {
  Step& step = run_.steps[index];
  index_ = index;
  since_ = retry_at_ = now_;
  carried_ = step.took;
  steady_since_.reset();
  waiting_for_.clear();
  rebooted_ = done_ = false;
  offset_ = 0;
  output_.clear();
  phase_ = step.attempts == 0 ? Phase::start : Phase::look;
  step.state = StepState::running;
  step.detail.clear();
  if (step.kind != StepKind::check) save();
  out_->push_back(Tell{index});
}

void Upgrade::finish_step() {
  Step& step = run_.steps[*index_];
  step.state = StepState::done;
  command_is_done_ = false;
  save();
  out_->push_back(Tell{*index_});
}

Duration Upgrade::limit(const Step& step) const {
  switch (step.kind) {
    case StepKind::command:
      return run_.limits.command;
    case StepKind::comeback:
      return run_.limits.comeback;
    default:
      return run_.limits.order;
  }
}

bool Upgrade::steady() {
  if (!steady_since_) steady_since_ = now_;
  return now_ - *steady_since_ >= run_.limits.settle;
}

bool Upgrade::wait_for(const std::string& what) {
  waiting_for_ = what;
  steady_since_.reset();
  return false;
}

void Upgrade::wait_and_retry(const std::string& what) {
  waiting_for_ = what;
  retry_at_ = now_ + 1s;
}

void Upgrade::begin_task(Task::Kind kind, int node) {
  busy_ = Task{kind, node, kind == Task::Kind::follow ? offset_ : 0};
  out_->push_back(*busy_);
}

// An abort gives up what it cannot reach and goes on: it is the way out.
void Upgrade::fail(const std::string& why, const std::string& next) {
  if (run_.state == RunState::aborting) {
    if (busy_) out_->push_back(Drop{});
    busy_.reset();
    run_.steps[*index_].detail = "not done: " + why;
    incomplete_ = true;
    return finish_step();
  }
  run_.steps[*index_].state = StepState::failed;
  stop_here(why, next);
}

void Upgrade::stop_here(const std::string& why, const std::string& next) {
  if (busy_) out_->push_back(Drop{});
  busy_.reset();
  if (run_.state != RunState::aborting) run_.state = RunState::stopped;
  run_.failure = {why, next};
  save();
  out_->push_back(Tell{*index_});
  out_->push_back(End{Outcome::stopped});
  ended_ = true;
}

// Nothing was done yet but to tell the nodes.
void Upgrade::refuse(const std::string& why, Outcome outcome) {
  if (busy_) out_->push_back(Drop{});
  busy_.reset();
  run_.failure = {why, ""};
  if (index_) run_.steps[*index_].state = StepState::failed;
  close(outcome);
}

void Upgrade::close(Outcome outcome) {
  closing_ = outcome;
  save();
}

std::string Upgrade::retry_advice(const Step& step) const {
  const std::string name = run_.name_of(step.node);
  const std::string give_up = "'hotpair upgrade --abort' gives it up";
  switch (step.kind) {
    case StepKind::command:
      return "'hotpair upgrade --resume' waits on; 'hotpair upgrade --abort' ends the command";
    case StepKind::comeback:
      return "see 'hotpair doctor' and, on " + name +
             ", 'journalctl -u hotpaird -u hotpair-dataplane'; once it is in sync, 'hotpair "
             "upgrade "
             "--resume' goes on; " +
             give_up;
    default:
      return "when it is mended, 'hotpair upgrade --resume' tries again; " + give_up;
  }
}

std::string standing(const std::optional<PairView>& pair) {
  if (!pair) return "";
  std::string text;
  for (const NodeView* node : {&pair->self, &pair->peer})
    if (node->alive && node->role == "primary") text += node->name + " is primary";
  if (text.empty()) text = "nobody is primary";
  for (const NodeView* node : {&pair->self, &pair->peer}) {
    if (!node->alive && pair->peer_known) text += "; " + node->name + " is not heard";
    if (node->alive && node->forced == "maintenance")
      text += "; " + node->name +
              " is in maintenance: it takes the role only when the other node is gone";
  }
  return text;
}

}  // namespace hotpair::ctl::upgrade
