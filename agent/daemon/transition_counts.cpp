#include "agent/daemon/transition_counts.hpp"

#include "agent/core/role.hpp"

namespace hotpair::daemon {

using nlohmann::json;

void TransitionCounts::Times::add(Duration took, bool ok) {
  for (std::size_t i = 0; i < kPhaseBounds.size(); ++i)
    if (took <= kPhaseBounds[i]) ++no_longer[i];
  ++count;
  if (!ok) ++failed;
  sum += took;
}

json TransitionCounts::Times::to_json() const {
  json buckets = json::array();
  for (std::size_t i = 0; i < kPhaseBounds.size(); ++i)
    buckets.push_back({{"le", to_seconds(kPhaseBounds[i])}, {"count", no_longer[i]}});
  return {{"count", count},
          {"failed", failed},
          {"sum_seconds", to_seconds(sum)},
          {"buckets", std::move(buckets)}};
}

void TransitionCounts::note(const agent::ReportRoleChange& change) {
  ++changes_[{std::string(agent::to_string(change.to)), std::string(to_string(change.kind))}];
}

void TransitionCounts::note(const agent::ReportTransaction& transaction) {
  (transaction.takeover ? takeover_ : giving_back_).add(transaction.total, transaction.ok);
  for (const auto& step : transaction.steps)
    phases_[std::string(step.name.view())].add(step.took, step.ok);
}

json TransitionCounts::to_json() const {
  json changes = json::array(), phases = json::object();
  for (const auto& [what, times] : changes_)
    changes.push_back({{"to", what.first}, {"kind", what.second}, {"count", times}});
  for (const auto& [name, times] : phases_) phases[name] = times.to_json();
  return {{"role_changes", std::move(changes)},
          {"takeover", takeover_.to_json()},
          {"giving_back", giving_back_.to_json()},
          {"phases", std::move(phases)}};
}

}  // namespace hotpair::daemon
