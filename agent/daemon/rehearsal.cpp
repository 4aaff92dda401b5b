#include "agent/daemon/rehearsal.hpp"

#include <array>
#include <string_view>

#include "agent/core/role.hpp"
#include "agent/daemon/health_json.hpp"

namespace hotpair::daemon {
namespace {

using agent::Assumption;
using nlohmann::json;
using Kind = Assumption::Kind;

struct KindName {
  std::string_view name;
  Kind kind;
};
constexpr std::array kKinds{
    KindName{"link", Kind::link},     KindName{"management", Kind::management},
    KindName{"module", Kind::module}, KindName{"remote", Kind::remote},
    KindName{"forced", Kind::forced}, KindName{"uptime", Kind::uptime},
    KindName{"power", Kind::power}};

std::string text_of(const json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

std::optional<std::int64_t> number_of(const json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_number_integer()) return std::nullopt;
  return it->get<std::int64_t>();
}

Status set_kind(const json& object, Assumption& assumption) {
  const std::string name = text_of(object, "kind");
  for (const KindName& known : kKinds)
    if (known.name == name) {
      assumption.kind = known.kind;
      return Ok{};
    }
  return fail_with("\"kind\" is one of link, management, module, remote, forced, uptime, power");
}

Status set_node(const json& object, agent::ChassisId self, Assumption& assumption) {
  assumption.node = self;
  if (!object.contains("node")) return Ok{};
  const auto node = number_of(object, "node");
  if (node != 1 && node != 2) return fail_with("\"node\" is 1 or 2");
  assumption.node = static_cast<agent::ChassisId>(*node);
  return Ok{};
}

Status set_forced(const json& object, Assumption& assumption) {
  for (const auto state : {agent::Forced::primary, agent::Forced::backup, agent::Forced::none})
    if (text_of(object, "state") == agent::to_string(state)) {
      assumption.forced = state;
      return Ok{};
    }
  return fail_with("\"state\" is one of primary, backup, none");
}

Status set_module(const json& object, agent::ChassisId self, const FindModule& find_module,
                  Assumption& assumption) {
  constexpr std::int64_t kLastSlot = 63;
  const auto slot = number_of(object, "slot");
  if (!slot || *slot < 1 || *slot > kLastSlot) return fail_with("\"slot\" is from 1 to 63");
  const auto module = find_module(static_cast<int>(*slot));
  if (!module)
    return fail_with("there is no module in slot " + std::to_string(*slot) +
                     "; see modules in cluster.yaml");
  assumption.slot = static_cast<std::uint8_t>(*slot);
  if (assumption.node == self) assumption.module_ok = module->ok;
  return Ok{};
}

Status set_uptime(const json& object, Assumption& assumption) {
  constexpr std::int64_t kMost = 0xffff'ffff;
  const auto seconds = number_of(object, "seconds");
  if (!seconds || *seconds < 0 || *seconds > kMost)
    return fail_with("\"seconds\" is a number of seconds");
  assumption.uptime = std::chrono::seconds(*seconds);
  return Ok{};
}

Result<Assumption> parse_one(const json& object, agent::ChassisId self,
                             const FindModule& find_module) {
  if (!object.is_object()) return fail_with("an assumption is a JSON object");
  Assumption assumption;
  if (auto set = set_kind(object, assumption); !set) return fail(set.error());
  if (auto set = set_node(object, self, assumption); !set) return fail(set.error());
  const auto good = object.find("good");
  assumption.good = good != object.end() && good->is_boolean() && good->get<bool>();
  const std::string name = text_of(object, "name");
  if (name.size() > 48) return fail_with("\"name\" is longer than any there is");
  assumption.name = name;
  Status rest = Ok{};
  if (assumption.kind == Kind::forced) rest = set_forced(object, assumption);
  if (assumption.kind == Kind::module) rest = set_module(object, self, find_module, assumption);
  if (assumption.kind == Kind::uptime) rest = set_uptime(object, assumption);
  if (!rest) return fail(rest.error());
  return assumption;
}

json node_json(std::optional<agent::ChassisId> node) {
  return node ? json(static_cast<int>(*node)) : json();
}

}  // namespace

Result<std::vector<Assumption>> parse_assumptions(const json& request, agent::ChassisId self,
                                                  const FindModule& find_module) {
  const auto list = request.find("assumptions");
  if (list == request.end() || !list->is_array() || list->empty())
    return fail_with("nothing is assumed; try 'hotpair what-if --link wan=down'");
  if (list->size() > agent::kMaxAssumptions)
    return fail_with("at most " + std::to_string(agent::kMaxAssumptions) +
                     " things can be assumed at once");
  std::vector<Assumption> assumptions;
  for (const json& object : *list) {
    auto assumption = parse_one(object, self, find_module);
    if (!assumption) return fail(assumption.error());
    assumptions.push_back(*assumption);
  }
  return assumptions;
}

json to_json(const agent::WhatIf& answer) {
  if (answer.refused.size != 0)
    return {{"ok", false}, {"error", std::string(answer.refused.view())}};
  json rows = json::array(), notes = json::array(), verdict;
  for (const auto& row : answer.rows)
    rows.push_back({{"criterion", agent::to_string(row.criterion)},
                    {"one", row.one.view()},
                    {"two", row.two.view()},
                    {"decides", row.decides}});
  for (const auto& note : answer.notes) notes.push_back(note.view());
  if (answer.compared)
    verdict = {{"winner", static_cast<int>(answer.verdict.winner)},
               {"criterion", agent::to_string(answer.verdict.criterion)},
               {"winner_value", answer.verdict.winner_value.view()},
               {"loser_value", answer.verdict.loser_value.view()}};
  return {{"ok", true},
          {"text", answer.text.view()},
          {"moves", answer.moves},
          {"kind", answer.moves ? json(agent::to_string(answer.kind)) : json()},
          {"held_back", answer.held_back.view()},
          {"primary_now", node_json(answer.primary_now)},
          {"primary_after", node_json(answer.primary_after)},
          {"election", verdict},
          {"criteria", rows},
          {"health", {{"1", health_json(answer.health[0])}, {"2", health_json(answer.health[1])}}},
          {"notes", notes}};
}

json to_json(const agent::FailoverPlan& plan) {
  json steps = json::array();
  for (const auto& step : plan.steps)
    steps.push_back({{"node", static_cast<int>(step.node)},
                     {"name", step.name.view()},
                     {"text", step.text.view()}});
  return {{"ok", true}, {"allowed", plan.allowed}, {"text", plan.text.view()}, {"steps", steps}};
}

}  // namespace hotpair::daemon
