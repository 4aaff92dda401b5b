// `why`: the election as a table, criterion by criterion, with what both nodes bring.
#include "agent/daemon/status_json.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;

struct Candidates {
  agent::Candidate node, peer;
};

Candidates candidates(const StatusView& view) {
  const agent::NodeStatus& node = view.node;
  const auto tenure =
      agent::incumbencies({node.role, node.table_epoch}, {node.peer.role, node.peer.table_epoch});
  return {{node.self, node.health, view.plan.node.serial, tenure.a},
          {agent::other(node.self), node.peer.health, node.peer.serial, tenure.b}};
}

json criteria_json(const StatusView& view) {
  json list = json::array();
  if (!view.node.verdict_known) return list;
  const auto& config = view.plan.node;
  agent::ElectionRules rules = agent::rules_of(config);
  if (view.node.peer.cluster_digest != config.cluster_digest) rules.remote_monitors = {};
  const Candidates both = candidates(view);
  for (const auto criterion : agent::election_order(rules)) {
    const auto values = agent::criterion_values(criterion, both.node, both.peer, rules);
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
