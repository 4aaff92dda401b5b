#include "tools/ctl/upgrade/run_json.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "tools/ctl/json_access.hpp"

namespace hotpair::ctl::upgrade {
namespace {

using nlohmann::json;

constexpr unsigned kFormat = 1;
constexpr std::size_t kMostSteps = 32;
constexpr std::array kKinds{StepKind::check,    StepKind::take_out, StepKind::command,
                            StepKind::comeback, StepKind::put_back, StepKind::stop};
constexpr std::array kStates{StepState::waiting, StepState::running, StepState::done,
                             StepState::failed};
constexpr std::array kRunStates{RunState::running, RunState::stopped, RunState::finished,
                                RunState::aborting, RunState::aborted};

template <typename E, std::size_t N>
std::optional<E> named(const std::array<E, N>& all, const std::string& name) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](E each) { return name == to_string(each); });
  return found == all.end() ? std::nullopt : std::optional(*found);
}

json milliseconds(Duration duration) {
  return to_ms(duration);
}

Duration duration_of(const json& object, const char* key) {
  return std::chrono::milliseconds(
      std::min<std::uint64_t>(count(object, key), 1000ull * 3600 * 24 * 366));
}

// As it is: control characters are the operator's own.
std::string exact(const json& object, const char* key) {
  const json& value = child(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

json stored(const Step& step) {
  return {{"kind", to_string(step.kind)},
          {"node", step.node},
          {"moves_role", step.moves_role},
          {"state", to_string(step.state)},
          {"took_ms", milliseconds(step.took)},
          {"attempts", step.attempts},
          {"detail", step.detail}};
}

std::optional<Step> step_from(const json& object) {
  const auto kind = named(kKinds, text(object, "kind"));
  const auto state = named(kStates, text(object, "state"));
  const auto node = count(object, "node");
  if (!kind || !state || node > 2 || (node == 0) != (*kind == StepKind::check)) return std::nullopt;
  Step step;
  step.kind = *kind;
  step.node = static_cast<int>(node);
  step.moves_role = flag(object, "moves_role");
  step.state = *state;
  step.took = duration_of(object, "took_ms");
  step.attempts = static_cast<unsigned>(count(object, "attempts"));
  step.detail = text(object, "detail");
  return step;
}

bool is_id(const std::string& id) {
  return !id.empty() && id.size() <= 40 && id[0] >= '0' && id[0] <= '9' &&
         std::all_of(id.begin(), id.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-';
         });
}

}  // namespace

json to_json(const Run& run) {
  json steps = json::array(), nodes = json::array();
  for (const Step& step : run.steps) steps.push_back(stored(step));
  for (const int node : {1, 2})
    nodes.push_back({{"name", run.name_of(node)},
                     {"version", run.before_of(node).version},
                     {"protocol_highest", run.before_of(node).protocol_highest},
                     {"boot_id", run.boot_id[static_cast<std::size_t>(node - 1)]}});
  const std::size_t at = run.current();
  json object = {{"format", kFormat},
                 {"id", run.id},
                 {"command", run.command},
                 {"began", run.began},
                 {"driver", run.driver},
                 {"state", to_string(run.state)},
                 {"limits",
                  {{"command_ms", milliseconds(run.limits.command)},
                   {"comeback_ms", milliseconds(run.limits.comeback)},
                   {"order_ms", milliseconds(run.limits.order)},
                   {"settle_ms", milliseconds(run.limits.settle)}}},
                 {"nodes", std::move(nodes)},
                 {"steps", std::move(steps)},
                 {"why", run.failure.why},
                 {"next", run.failure.next}};
  // For who only shows it: the agents' status.
  if (at < run.steps.size())
    object["at"] = {
        {"step", at + 1}, {"of", run.steps.size()}, {"title", title(run, run.steps[at])}};
  return object;
}

Result<Run> run_from(const std::string& content) {
  const json object = json::parse(content, nullptr, false);
  if (!object.is_object()) return fail_with("it is not JSON");
  if (count(object, "format") != kFormat) return fail_with("it is of another version of hotpair");
  Run run;
  run.id = text(object, "id");
  run.command = exact(object, "command");
  run.began = text(object, "began");
  run.driver = static_cast<int>(count(object, "driver"));
  const auto state = named(kRunStates, text(object, "state"));
  const json& nodes = child(object, "nodes");
  const json& steps = child(object, "steps");
  if (!is_id(run.id) || (run.driver != 1 && run.driver != 2) || !state || !nodes.is_array() ||
      nodes.size() != 2 || !steps.is_array() || steps.size() > kMostSteps)
    return fail_with("it is damaged");
  run.state = *state;
  const json& limits = child(object, "limits");
  run.limits = {duration_of(limits, "command_ms"), duration_of(limits, "comeback_ms"),
                duration_of(limits, "order_ms"), duration_of(limits, "settle_ms")};
  for (std::size_t i = 0; i < 2; ++i) {
    run.before[i] = {text(nodes[i], "name"), text(nodes[i], "version"),
                     static_cast<unsigned>(count(nodes[i], "protocol_highest"))};
    run.boot_id[i] = text(nodes[i], "boot_id");
  }
  for (const json& each : steps) {
    auto step = step_from(each);
    if (!step) return fail_with("one of its steps is damaged");
    run.steps.push_back(std::move(*step));
  }
  run.failure = {text(object, "why"), text(object, "next")};
  return run;
}

json step_json(const Run& run, std::size_t index) {
  const Step& step = run.steps[index];
  return {{"run", run.id},
          {"step", index + 1},
          {"of", run.steps.size()},
          {"kind", to_string(step.kind)},
          {"node", step.node == 0 ? json() : json(run.name_of(step.node))},
          {"chassis_id", step.node == 0 ? json() : json(step.node)},
          {"title", title(run, step)},
          {"state", to_string(step.state)},
          {"seconds", to_seconds(step.took)},
          {"detail", step.detail}};
}

}  // namespace hotpair::ctl::upgrade
