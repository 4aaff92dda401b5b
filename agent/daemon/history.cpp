#include "agent/daemon/history.hpp"

#include <algorithm>
#include <cmath>

#include "agent/core/role.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;

std::string text_of(const json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

constexpr std::size_t kMostValues = 32;

double number_of(const json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number() ? it->get<double>() : 0.0;
}

json health_of(const agent::HealthVector& health) {
  return {{"forced", agent::to_string(health.forced)},
          {"bandwidth_mbps", health.bandwidth_mbps},
          {"full_bandwidth_mbps", health.full_bandwidth_mbps},
          {"good_lags", health.good_lags},
          {"full_lags", health.full_lags},
          {"management_link", health.management_link},
          {"remote_known", health.remote_known},
          {"remote_reached", health.remote_reached},
          {"failed_modules", health.failed_modules},
          {"uptime_s", health.uptime_s},
          {"priority", health.priority}};
}

json election_of(const agent::Verdict& verdict) {
  return {{"winner", static_cast<int>(verdict.winner)},
          {"criterion", agent::to_string(verdict.criterion)},
          {"winner_value", verdict.winner_value.view()},
          {"loser_value", verdict.loser_value.view()}};
}

// Of a file that anybody may have written: an object of plain values, or nothing.
json plain_object(const json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_object() || it->size() > kMostValues) return nullptr;
  for (const auto& value : *it)
    if (value.is_structured()) return nullptr;
  return *it;
}

}  // namespace

double to_fractional_ms(Duration d) {
  return std::round(static_cast<double>(d.count()) / 1e4) / 100;
}

void History::add(const agent::ReportRoleChange& change, std::string wall) {
  Change entry;
  entry.time = std::move(wall);
  entry.from = agent::to_string(change.from);
  entry.to = agent::to_string(change.to);
  entry.kind = agent::to_string(change.kind);
  entry.reason = change.reason.view();
  entry.epoch = change.epoch.number;
  entry.health = health_of(change.health);
  if (change.peer_known) entry.peer_health = health_of(change.peer_health);
  if (change.elected) entry.election = election_of(change.verdict);
  changes_.push_back(std::move(entry));
  if (changes_.size() > kHistoryLimit) changes_.pop_front();
}

void History::attach(const agent::ReportTransaction& transaction, Change& change) {
  for (const auto& step : transaction.steps)
    change.steps.push_back({std::string(step.name.view()), std::string(step.error.view()),
                            to_fractional_ms(step.took), step.ok});
  change.total_ms = to_fractional_ms(transaction.total);
  change.closed = true;
}

void History::add(const agent::ReportTransaction& transaction) {
  if (!changes_.empty() && !changes_.back().closed) attach(transaction, changes_.back());
}

void History::close() {
  if (!changes_.empty()) changes_.back().closed = true;
}

json History::to_json(const Change& change) {
  json steps = json::array();
  for (const auto& step : change.steps)
    steps.push_back({{"name", step.name}, {"ms", step.ms}, {"ok", step.ok}, {"error", step.error}});
  return {{"time", change.time},
          {"from", change.from},
          {"to", change.to},
          {"epoch", change.epoch},
          {"kind", change.kind},
          {"reason", change.reason},
          {"steps", steps},
          {"total_ms", change.total_ms},
          {"health", change.health},
          {"peer_health", change.peer_health},
          {"election", change.election}};
}

json History::to_json(std::size_t limit) const {
  json list = json::array();
  const std::size_t count = std::min(limit, changes_.size());
  for (std::size_t i = changes_.size() - count; i < changes_.size(); ++i)
    list.push_back(to_json(changes_[i]));
  return {{"changes", list}};
}

History History::from_text(std::string_view text) {
  History history;
  const json read = json::parse(text, nullptr, false);
  if (!read.is_object() || !read.contains("changes") || !read["changes"].is_array()) return history;
  for (const auto& item : read["changes"]) {
    if (!item.is_object()) continue;
    Change change;
    change.time = text_of(item, "time");
    change.from = text_of(item, "from");
    change.to = text_of(item, "to");
    change.kind = text_of(item, "kind");
    change.reason = text_of(item, "reason");
    if (const auto epoch = item.find("epoch"); epoch != item.end() && epoch->is_number_unsigned())
      change.epoch = epoch->get<std::uint64_t>();
    change.total_ms = number_of(item, "total_ms");
    change.health = plain_object(item, "health");
    change.peer_health = plain_object(item, "peer_health");
    change.election = plain_object(item, "election");
    change.closed = true;
    if (item.contains("steps") && item["steps"].is_array())
      for (const auto& step : item["steps"])
        if (step.is_object() && change.steps.size() < 8)
          change.steps.push_back({text_of(step, "name"), text_of(step, "error"),
                                  number_of(step, "ms"),
                                  step.value("ok", json(true)) == json(true)});
    history.changes_.push_back(std::move(change));
    if (history.changes_.size() > kHistoryLimit) history.changes_.pop_front();
  }
  return history;
}

}  // namespace hotpair::daemon
