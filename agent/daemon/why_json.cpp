// `why`: the election as a table, criterion by criterion, with what both nodes bring.
#include "agent/daemon/status_json.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;

agent::Candidate ourselves(const StatusView& view) {
  return {view.node.self, view.node.health, view.plan.node.serial,
          view.node.role == agent::Role::primary};
}

agent::Candidate peer(const StatusView& view) {
  return {agent::other(view.node.self), view.node.peer.health, view.node.peer.serial,
          view.node.peer.role == agent::Role::primary};
}

json criteria_json(const StatusView& view) {
  json list = json::array();
  if (!view.node.verdict_known) return list;
  const auto& config = view.plan.node;
  const agent::ElectionRules rules{config.override_, config.uptime_margin,
                                   config.board_failover_tolerance};
  for (const auto criterion : agent::election_order(rules)) {
    const auto values = agent::criterion_values(criterion, ourselves(view), peer(view), rules);
    list.push_back({{"criterion", agent::to_string(criterion)},
                    {"node", values.a.view()},
                    {"peer", values.b.view()},
                    {"decides", criterion == view.node.verdict.criterion}});
  }
  return list;
}

}  // namespace

json why_json(const StatusView& view) {
  const json status = status_json(view);
  return {{"ok", true},
          {"role", status["role"]},
          {"epoch", status["epoch"]},
          {"reason", status["node"]["reason"]},
          {"since", status["node"]["role_since"]},
          {"election", status["election"]},
          {"criteria", criteria_json(view)},
          {"suppressed", status["suppressed"]},
          {"conflict", status["conflict"]}};
}

}  // namespace hotpair::daemon
