#include "tools/ctl/upgrade/run.hpp"

namespace hotpair::ctl::upgrade {
namespace {

Step of(StepKind kind, int node, bool moves_role = false) {
  Step step;
  step.kind = kind;
  step.node = node;
  step.moves_role = moves_role;
  return step;
}

}  // namespace

std::size_t Run::current() const {
  std::size_t index = 0;
  while (index < steps.size() && steps[index].state == StepState::done) ++index;
  return index;
}

std::vector<Step> plan(int backup, int primary) {
  std::vector<Step> steps{of(StepKind::check, 0)};
  for (const int node : {backup, primary}) {
    steps.push_back(of(StepKind::take_out, node, node == primary));
    steps.push_back(of(StepKind::command, node));
    steps.push_back(of(StepKind::comeback, node));
    steps.push_back(of(StepKind::put_back, node));
  }
  return steps;
}

std::vector<Step> plan_of_abort(const Run& run) {
  std::vector<Step> steps;
  for (const Step& step : run.steps) {
    const bool begun = step.state == StepState::running || step.state == StepState::failed;
    if (step.kind == StepKind::command && begun && step.attempts > 0)
      steps.push_back(of(StepKind::stop, step.node));
  }
  for (const int node : {1, 2}) {
    bool out = false;
    for (const Step& step : run.steps) {
      if (step.node != node) continue;
      if (step.kind == StepKind::take_out && step.state != StepState::waiting) out = true;
      if (step.kind == StepKind::put_back && step.state == StepState::done) out = false;
    }
    if (out) steps.push_back(of(StepKind::put_back, node));
  }
  return steps;
}

const char* to_string(StepKind kind) {
  switch (kind) {
    case StepKind::check:
      return "check";
    case StepKind::take_out:
      return "take-out";
    case StepKind::command:
      return "command";
    case StepKind::comeback:
      return "return";
    case StepKind::put_back:
      return "put-back";
    case StepKind::stop:
      return "stop";
  }
  return "?";
}

const char* to_string(StepState state) {
  switch (state) {
    case StepState::waiting:
      return "waiting";
    case StepState::running:
      return "running";
    case StepState::done:
      return "done";
    case StepState::failed:
      return "failed";
  }
  return "?";
}

const char* to_string(RunState state) {
  switch (state) {
    case RunState::running:
      return "running";
    case RunState::stopped:
      return "stopped";
    case RunState::finished:
      return "finished";
    case RunState::aborting:
      return "aborting";
    case RunState::aborted:
      return "aborted";
  }
  return "?";
}

std::string title(const Run& run, const Step& step) {
  const std::string name = run.name_of(step.node) + ": ";
  switch (step.kind) {
    case StepKind::check:
      return "the pair is whole, and no other upgrade runs";
    case StepKind::take_out:
      return name + (step.moves_role ? "the role moves to " + run.name_of(other(step.node)) +
                                           ", maintenance begins"
                                     : "maintenance begins");
    case StepKind::command:
      return name + "the command runs";
    case StepKind::comeback:
      return name + "comes back and is in sync";
    case StepKind::put_back:
      return name + "maintenance ends";
    case StepKind::stop:
      return name + "the command is ended";
  }
  return name;
}

}  // namespace hotpair::ctl::upgrade
