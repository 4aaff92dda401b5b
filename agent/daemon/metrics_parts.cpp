#include "agent/daemon/metrics_parts.hpp"

#include <algorithm>

namespace hotpair::daemon::metrics {

using nlohmann::json;
using Kind = OpenMetrics::Kind;

const json& child(const json& object, const char* key) {
  static const json kNone;
  if (!object.is_object()) return kNone;
  const auto found = object.find(key);
  return found == object.end() ? kNone : *found;
}

std::string text(const json& object, const char* key) {
  const json& value = child(object, key);
  if (value.is_string()) return value.get<std::string>();
  return value.is_primitive() && !value.is_null() ? value.dump() : std::string();
}

std::optional<double> number(const json& object, const char* key) {
  const json& value = child(object, key);
  if (value.is_boolean()) return value.get<bool>() ? 1 : 0;
  return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

bool flag(const json& object, const char* key) {
  return number(object, key).value_or(0) != 0;
}

std::optional<double> scaled(std::optional<double> value, double factor) {
  return value ? std::optional(*value * factor) : std::nullopt;
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

void gauge(OpenMetrics& out, std::string_view name, std::string_view help, const json& object,
           const char* key, double factor) {
  out.family(Kind::gauge, name, help);
  if (const auto value = number(object, key)) out.add(*value * factor);
}

void counter(OpenMetrics& out, std::string_view name, std::string_view help, const json& object,
             const char* key) {
  out.family(Kind::counter, name, help);
  if (const auto value = number(object, key)) out.add(*value);
}

void named(OpenMetrics& out, std::string_view name, std::string_view help, const json& object) {
  out.family(Kind::counter, name, help);
  for (const auto& [reason, times] : object.items())
    if (times.is_number()) out.add({{"reason", reason}}, times.get<double>());
}

OpenMetrics::Labels labels_of(const json& row, const std::vector<const char*>& keys) {
  OpenMetrics::Labels labels;
  for (const char* key : keys) labels.emplace_back(key, text(row, key));
  return labels;
}

Rows::Rows(const json& rows, std::vector<const char*> labels) {
  for (const json& row : rows) {
    auto made = labels_of(row, labels);
    const bool known = std::any_of(rows_.begin(), rows_.end(),
                                   [&](const auto& each) { return each.first == made; });
    if (!known) rows_.emplace_back(std::move(made), &row);
  }
}

void Rows::write(OpenMetrics& out, Kind kind, std::string_view name, std::string_view help,
                 const char* key, double factor) const {
  write_of(out, kind, name, help,
           [&](const json& row) { return scaled(number(row, key), factor); });
}

void Rows::write_of(OpenMetrics& out, Kind kind, std::string_view name, std::string_view help,
                    const std::function<std::optional<double>(const json&)>& value) const {
  out.family(kind, name, help);
  for (const auto& [labels, row] : rows_)
    if (const auto found = value(*row)) out.add(labels, *found);
}

namespace {

void add_times(OpenMetrics& out, const OpenMetrics::Labels& labels, const json& times) {
  std::vector<OpenMetrics::Bucket> buckets;
  const auto whole = [](std::optional<double> value) {
    return static_cast<std::uint64_t>(value.value_or(0));
  };
  for (const json& bucket : child(times, "buckets"))
    if (const auto bound = number(bucket, "le"))
      buckets.push_back({*bound, whole(number(bucket, "count"))});
  out.add_histogram(labels, buckets, whole(number(times, "count")),
                    number(times, "sum_seconds").value_or(0));
}

}  // namespace

void write_transitions(OpenMetrics& out, const json& transitions) {
  if (!transitions.is_object()) return;
  Rows(child(transitions, "role_changes"), {"to", "kind"})
      .write(out, Kind::counter, "hotpair_role_changes", "Changes of this node's role.", "count");
  out.family(Kind::histogram, "hotpair_takeover_seconds",
             "From the decision to be primary to the announcement of its addresses.");
  add_times(out, {}, child(transitions, "takeover"));
  out.family(Kind::histogram, "hotpair_giving_back_seconds",
             "From the decision to give the role up until all is given back.");
  add_times(out, {}, child(transitions, "giving_back"));
  const json& phases = child(transitions, "phases");
  out.family(Kind::histogram, "hotpair_phase_seconds", "Each phase of these.");
  for (const auto& [name, times] : phases.items()) add_times(out, {{"phase", name}}, times);
  out.family(Kind::counter, "hotpair_phase_failures", "Phases that failed or were not answered.");
  for (const auto& [name, times] : phases.items())
    out.add({{"phase", name}}, number(times, "failed").value_or(0));
}

}  // namespace hotpair::daemon::metrics
