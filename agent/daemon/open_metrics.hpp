// Writes OpenMetrics text (version 1.0.0 of the specification, which Prometheus scrapes). Families
// come one after the other, each with all its samples; the writer sees to what the format demands:
// types and suffixes, escapes, one end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hotpair::daemon {

class OpenMetrics {
 public:
  enum class Kind : std::uint8_t { gauge, counter, info, stateset, histogram };
  using Labels = std::vector<std::pair<std::string, std::string>>;

  static constexpr const char* kContentType =
      "application/openmetrics-text; version=1.0.0; charset=utf-8";

  // Begins a family; what is added next belongs to it. `name` has no suffix (_total, _info); a name
  // that ends in _seconds or _bytes declares that unit. Each name is begun once.
  void family(Kind kind, std::string_view name, std::string_view help);
  void add(const Labels& labels, double value);  // gauge, counter
  void add(double value) { add({}, value); }
  void add_info(const Labels& labels);
  // Of a stateset: one sample a state, 1 for the one that is.
  void add_state(const Labels& labels, const std::vector<std::string>& states,
                 std::string_view current);
  struct Bucket {
    double up_to;         // the last one, infinity, goes without saying
    std::uint64_t count;  // of all that were no greater
  };
  void add_histogram(const Labels& labels, const std::vector<Bucket>& buckets, std::uint64_t count,
                     double sum);

  std::string finish() &&;

 private:
  void sample(std::string_view suffix, const Labels& labels, const std::string& value);

  std::string text_, name_;
  Kind kind_ = Kind::gauge;
};

}  // namespace hotpair::daemon
