// Reading a status and writing parts of it as metrics; internal to metrics_text.cpp and its
// neighbours. Everything takes what is not there, or of another type, as nothing.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/daemon/open_metrics.hpp"

namespace hotpair::daemon::metrics {

const nlohmann::json& child(const nlohmann::json& object, const char* key);  // null: none
std::string text(const nlohmann::json& object, const char* key);  // of text, numbers and flags
std::optional<double> number(const nlohmann::json& object, const char* key);  // of flags too
bool flag(const nlohmann::json& object, const char* key);
std::optional<double> scaled(std::optional<double> value, double factor);
bool is_name(std::string_view text);  // fit to be part of a metric's name

// A family of the one value, if it is there.
void gauge(OpenMetrics& out, std::string_view name, std::string_view help,
           const nlohmann::json& object, const char* key, double factor = 1);
void counter(OpenMetrics& out, std::string_view name, std::string_view help,
             const nlohmann::json& object, const char* key);
// A counter a key of `object`, which becomes the label "reason".
void named(OpenMetrics& out, std::string_view name, std::string_view help,
           const nlohmann::json& object);

OpenMetrics::Labels labels_of(const nlohmann::json& row, const std::vector<const char*>& keys);

// A list of objects: each is a sample of every family that is written of it, told apart by the
// labels. Of two with the same labels the first is taken.
class Rows {
 public:
  Rows(const nlohmann::json& rows, std::vector<const char*> labels);
  void write(OpenMetrics& out, OpenMetrics::Kind kind, std::string_view name, std::string_view help,
             const char* key, double factor = 1) const;
  void write_of(OpenMetrics& out, OpenMetrics::Kind kind, std::string_view name,
                std::string_view help,
                const std::function<std::optional<double>(const nlohmann::json&)>& value) const;

 private:
  std::vector<std::pair<OpenMetrics::Labels, const nlohmann::json*>> rows_;
};

// Of TransitionCounts::to_json().
void write_transitions(OpenMetrics& out, const nlohmann::json& transitions);

}  // namespace hotpair::daemon::metrics
