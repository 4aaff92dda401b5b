#include "agent/daemon/open_metrics.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "platform/base/assert.hpp"

namespace hotpair::daemon {
namespace {

constexpr std::array kUnits = {"seconds", "bytes"};

const char* name_of(OpenMetrics::Kind kind) {
  switch (kind) {
    case OpenMetrics::Kind::gauge:
      return "gauge";
    case OpenMetrics::Kind::counter:
      return "counter";
    case OpenMetrics::Kind::info:
      return "info";
    case OpenMetrics::Kind::stateset:
      return "stateset";
    case OpenMetrics::Kind::histogram:
      return "histogram";
  }
  return "unknown";
}

// The shortest text that reads back as the same number, whatever the locale.
std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char digits[32];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value);
  HOTPAIR_ASSERT(error == std::errc{});
  return {digits, end};
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out.push_back('\\');
    if (c == '\n')
      out += "\\n";
    else
      out.push_back(c);
  }
  return out;
}

}  // namespace

void OpenMetrics::family(Kind kind, std::string_view name, std::string_view help) {
  kind_ = kind;
  name_ = name;
  text_ += "# TYPE " + name_ + " " + name_of(kind) + "\n";
  for (const std::string unit : kUnits)
    if (name_.ends_with("_" + unit)) text_ += "# UNIT " + name_ + " " + unit + "\n";
  text_ += "# HELP " + name_ + " " + escaped(help) + "\n";
}

void OpenMetrics::sample(std::string_view suffix, const Labels& labels, const std::string& value) {
  text_.append(name_).append(suffix);
  char before = '{';
  for (const auto& [key, said] : labels) {
    text_.push_back(before);
    text_.append(key).append("=\"").append(escaped(said)).push_back('"');
    before = ',';
  }
  if (!labels.empty()) text_.push_back('}');
  text_.append(" ").append(value).push_back('\n');
}

void OpenMetrics::add(const Labels& labels, double value) {
  HOTPAIR_ASSERT(kind_ == Kind::gauge || kind_ == Kind::counter);
  sample(kind_ == Kind::counter ? "_total" : "", labels, number(value));
}

void OpenMetrics::add_info(const Labels& labels) {
  HOTPAIR_ASSERT(kind_ == Kind::info);
  sample("_info", labels, "1");
}

void OpenMetrics::add_state(const Labels& labels, const std::vector<std::string>& states,
                            std::string_view current) {
  HOTPAIR_ASSERT(kind_ == Kind::stateset);
  for (const std::string& state : states) {
    Labels all = labels;
    all.emplace_back(name_, state);
    sample("", all, state == current ? "1" : "0");
  }
}

void OpenMetrics::add_histogram(const Labels& labels, const std::vector<Bucket>& buckets,
                                std::uint64_t count, double sum) {
  HOTPAIR_ASSERT(kind_ == Kind::histogram);
  for (const Bucket& bucket : buckets) {
    Labels all = labels;
    all.emplace_back("le", number(bucket.up_to));
    sample("_bucket", all, std::to_string(bucket.count));
  }
  Labels all = labels;
  all.emplace_back("le", "+Inf");
  sample("_bucket", all, std::to_string(count));
  sample("_count", labels, std::to_string(count));
  sample("_sum", labels, number(sum));
}

std::string OpenMetrics::finish() && {
  return std::move(text_) + "# EOF\n";
}

}  // namespace hotpair::daemon
