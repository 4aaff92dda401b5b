#include "agent/daemon/set_reports.hpp"

#include <utility>

namespace hotpair::daemon {
namespace {

agent::SetElement as_told(sys::NftElement element) {
  return {std::move(element.key), std::move(element.value), std::move(element.state),
          element.timeout_ms, element.left_ms};
}

}  // namespace

agent::NftSetName name_of(const sys::NftSetId& set) {
  return {set.family, set.table, set.name};
}

sys::NftSetId id_of(const agent::NftSetName& name) {
  return {name.family, name.table, name.name};
}

std::vector<agent::SetElement> as_told(std::vector<sys::NftElement> elements) {
  std::vector<agent::SetElement> told;
  told.reserve(elements.size());
  for (auto& each : elements) told.push_back(as_told(std::move(each)));
  return told;
}

std::vector<sys::NftElement> for_kernel(const std::vector<agent::SetElement>& elements) {
  std::vector<sys::NftElement> made;
  made.reserve(elements.size());
  for (const auto& each : elements)
    made.push_back({each.key, each.value, each.state, each.timeout_ms, each.left_ms});
  return made;
}

std::optional<std::vector<agent::ElementReport>> reports_of(
    const sys::NftSet& set, std::vector<sys::NftElementEvent> events) {
  if (set.paired) {
    auto paired = sys::pair_intervals(std::move(events));
    if (!paired) return std::nullopt;
    events = *std::move(paired);
  }
  std::vector<agent::ElementReport> reports;
  reports.reserve(events.size());
  for (auto& event : events) reports.push_back({as_told(std::move(event.raw.element)), event.gone});
  return reports;
}

}  // namespace hotpair::daemon
