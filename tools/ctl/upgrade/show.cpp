#include "tools/ctl/upgrade/show.hpp"

#include <cstdio>
#include <sstream>

#include "platform/config/values.hpp"
#include "tools/ctl/upgrade/run_json.hpp"

namespace hotpair::ctl::upgrade {
namespace {

using nlohmann::json;

constexpr std::size_t kLinesShown = 20, kWidth = 100;
constexpr const char* kRewrite = "\r\033[K";

std::string dumped(const json& object, int indent = -1) {
  return object.dump(indent, ' ', false, json::error_handler_t::replace);
}

// The command's own bytes: a terminal would obey what is in them.
std::vector<std::string> last_lines(const std::string& text, std::size_t most) {
  std::vector<std::string> lines;
  std::string line;
  for (std::istringstream all(text); std::getline(all, line);) {
    for (char& c : line)
      if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) c = ' ';
    if (line.find_first_not_of(' ') != std::string::npos) lines.push_back(line);
  }
  if (lines.size() > most) lines.erase(lines.begin(), lines.end() - static_cast<long>(most));
  return lines;
}

std::string order_of_nodes(const Run& run) {
  std::string names;
  for (const Step& step : run.steps)
    if (step.kind == StepKind::take_out)
      names += (names.empty() ? "" : ", then ") + run.name_of(step.node);
  return names;
}

Tone tone_of(StepState state) {
  switch (state) {
    case StepState::done:
      return Tone::good;
    case StepState::failed:
      return Tone::bad;
    case StepState::running:
      return Tone::strong;
    case StepState::waiting:
      return Tone::faint;
  }
  return Tone::plain;
}

std::string limit_of(const Run& run, const Step& step) {
  switch (step.kind) {
    case StepKind::check:
      return "at once";
    case StepKind::command:
      return "within " + config::show_duration(run.limits.command);
    case StepKind::comeback:
      return "within " + config::show_duration(run.limits.comeback) + ", and for " +
             config::show_duration(run.limits.settle);
    default:
      return "within " + config::show_duration(run.limits.order);
  }
}

json failure_json(const Run& run, const std::string& standing) {
  return {{"why", run.failure.why}, {"next", run.failure.next}, {"standing", standing}};
}

}  // namespace

std::string Show::line(const Run& run, std::size_t index) const {
  const Step& step = run.steps[index];
  char place[32], took[32];
  std::snprintf(place, sizeof place, "%2zu/%zu  ", index + 1, run.steps.size());
  std::snprintf(
      took, sizeof took, "%9s  ",
      step.state == StepState::waiting ? "" : spoken_duration(to_seconds(step.took)).c_str());
  char state[16];
  std::snprintf(state, sizeof state, "%-7s", to_string(step.state));
  std::string text = place + style_(tone_of(step.state), state) + took + title(run, step);
  if (!step.detail.empty()) text += ": " + step.detail;
  return text;
}

void Show::plan(const Run& run, const std::string& refused) const {
  if (json_) {
    json steps = json::array();
    for (std::size_t i = 0; i < run.steps.size(); ++i) steps.push_back(step_json(run, i));
    std::printf("%s\n", dumped({{"ok", refused.empty()},
                                {"error", refused},
                                {"command", run.command},
                                {"steps", std::move(steps)}})
                            .c_str());
    return;
  }
  std::printf("%s; on each: %s\n", order_of_nodes(run).c_str(), run.command.c_str());
  for (std::size_t i = 0; i < run.steps.size(); ++i)
    std::printf("%2zu/%zu  %s (%s)\n", i + 1, run.steps.size(), title(run, run.steps[i]).c_str(),
                limit_of(run, run.steps[i]).c_str());
  if (!refused.empty()) std::printf("It would be refused now: %s\n", refused.c_str());
}

void Show::begins(const Run& run) const {
  if (json_) return;
  if (run.state == RunState::aborting)
    std::printf("The upgrade that runs '%s' is given up\n", run.command.c_str());
  else
    std::printf("%s; on each: %s\n", order_of_nodes(run).c_str(), run.command.c_str());
  std::fflush(stdout);
}

void Show::step(const Upgrade& upgrade, std::size_t index) {
  const Run& run = upgrade.run();
  const Step& step = run.steps[index];
  const bool begins = step.state == StepState::running && run.failure.why.empty();
  if (json_) {
    // One object a step: when it is over, in whichever way.
    if (begins) return;
    json object = step_json(run, index);
    if (step.state != StepState::done) {
      object.update(failure_json(run, ""));
      object["output"] = upgrade.output();
    }
    std::printf("%s\n", dumped(object).c_str());
  } else if (!begins) {
    std::printf("%s%s\n", live_ ? kRewrite : "", line(run, index).c_str());
  } else if (!live_) {
    std::printf("%2zu/%zu  begins             %s\n", index + 1, run.steps.size(),
                title(run, step).c_str());
  }
  std::fflush(stdout);
}

void Show::progress(const Upgrade& upgrade) {
  const std::size_t index = upgrade.run().current();
  if (json_ || !live_ || index >= upgrade.run().steps.size()) return;
  std::string text = line(upgrade.run(), index);
  const auto said = last_lines(upgrade.output(), 1);
  if (!said.empty())
    text += ": " + said[0];
  else if (!upgrade.waiting_for().empty())
    text += ": " + upgrade.waiting_for();
  std::printf("%s%s", kRewrite, text.substr(0, kWidth).c_str());
  std::fflush(stdout);
}

void Show::stopped(const Upgrade& upgrade, const std::string& standing) {
  const Run& run = upgrade.run();
  const std::size_t index = run.current();
  const Step& step = run.steps[index];
  std::fprintf(stderr, "hotpair: the upgrade stopped at step %zu of %zu, %s\n", index + 1,
               run.steps.size(), title(run, step).c_str());
  std::fprintf(stderr, "  why:     %s\n", run.failure.why.c_str());
  if (step.kind == StepKind::command && !upgrade.output().empty()) {
    std::fprintf(stderr, "  output:\n");
    for (const auto& said : last_lines(upgrade.output(), kLinesShown))
      std::fprintf(stderr, "    | %s\n", said.c_str());
    std::fprintf(stderr, "  whole:   on %s, %s/upgrade/%s/output\n", run.name_of(step.node).c_str(),
                 step.node == run.driver ? state_dir_.c_str() : "<state-dir>", run.id.c_str());
  }
  if (!standing.empty()) std::fprintf(stderr, "  now:     %s\n", standing.c_str());
  std::fprintf(stderr, "  next:    %s\n", run.failure.next.c_str());
}

void Show::end(const Upgrade& upgrade, Outcome outcome, const std::string& standing) {
  const Run& run = upgrade.run();
  if (outcome == Outcome::refused || outcome == Outcome::unreachable) {
    if (json_)
      std::printf("%s\n", dumped({{"ok", false}, {"error", run.failure.why}}).c_str());
    else
      std::fprintf(stderr, "%shotpair: %s\n", live_ ? "\n" : "", run.failure.why.c_str());
    return;
  }
  if (json_) return;
  if (outcome == Outcome::stopped) return stopped(upgrade, standing);
  Duration total{};
  for (const Step& step : run.steps) total += step.took;
  if (run.state == RunState::aborted)
    std::printf("The upgrade was given up; what was done on a node stays. %s\n", standing.c_str());
  else
    std::printf("%s\n", style_(Tone::good, "Both nodes are upgraded, in " +
                                               spoken_duration(to_seconds(total)) + ". " + standing)
                            .c_str());
}

void Show::status(const Run& run, bool driven) const {
  if (json_) {
    json object = to_json(run);
    object["ok"] = true;
    object["driven"] = driven;
    std::printf("%s\n", dumped(object, 2).c_str());
    return;
  }
  const bool cut = run.state == RunState::running && !driven;
  std::printf("The upgrade of %s is %s; on each node: %s\n", spoken_time(run.began).c_str(),
              cut ? "cut off" : to_string(run.state), run.command.c_str());
  for (std::size_t i = 0; i < run.steps.size(); ++i) std::printf("%s\n", line(run, i).c_str());
  if (!run.failure.why.empty()) std::printf("  why:     %s\n", run.failure.why.c_str());
  if (!run.failure.next.empty()) std::printf("  next:    %s\n", run.failure.next.c_str());
  if (cut) std::printf("  next:    'hotpair upgrade --resume' goes on; '--abort' gives it up\n");
}

}  // namespace hotpair::ctl::upgrade
