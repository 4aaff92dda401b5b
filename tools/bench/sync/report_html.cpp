#include <algorithm>

#include "tools/bench/sync/plot.hpp"
#include "tools/bench/sync/report.hpp"

namespace hotpair::bench::sync {

namespace {

constexpr const char* kHead =
    "<!doctype html><html lang='en'><meta charset='utf-8'>"
    "<title>hotpair-bench sync</title><style>body{font:15px/1.5 sans-serif;color:#222;"
    "max-width:900px;margin:24px auto;padding:0 16px}pre{background:#f6f8fa;padding:12px;"
    "overflow-x:auto;font-size:12px}svg{max-width:100%;height:auto;margin:10px 0}</style>"
    "<h1>Session sync</h1>";

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += c;
  }
  return out;
}

Line line(const char* name, const char* colour, const std::vector<Sample>& samples,
          double (*value)(const Sample&)) {
  Line out{name, colour, {}};
  for (const Sample& s : samples) out.points.emplace_back(to_seconds(s.at), value(s));
  return out;
}

Plot plot(const char* title, const char* unit, const Outcome& result) {
  Plot out;
  out.title = title;
  out.unit = unit;
  for (const PhaseTimes& p : result.phases)
    out.bands.push_back({p.name, to_seconds(p.began_at), to_seconds(p.began_at + p.took)});
  for (const auto* series : {&result.sender_series, &result.receiver_series})
    if (!series->empty()) out.seconds = std::max(out.seconds, to_seconds(series->back().at));
  return out;
}

}  // namespace

std::string to_html(const Options& options, const Outcome& result) {
  Plot rate = plot("Deltas a second", "1/s", result);
  const auto per_second = [](const Sample& s) { return s.deltas_per_s; };
  rate.lines.push_back(line("told", "#c0392b", result.sender_series, per_second));
  rate.lines.push_back(line("applied", "#2471a3", result.receiver_series, per_second));

  Plot latency = plot("From the primary's table to the backup's", "us", result);
  latency.lines.push_back(line("median", "#2471a3", result.receiver_series, [](const Sample& s) {
    return static_cast<double>(s.p50.count()) / 1e3;
  }));
  latency.lines.push_back(line("p99", "#ca6f1e", result.receiver_series, [](const Sample& s) {
    return static_cast<double>(s.p99.count()) / 1e3;
  }));

  Plot lag = plot("Changes not yet acknowledged", "", result);
  lag.lines.push_back(line("lag", "#7d3c98", result.sender_series,
                           [](const Sample& s) { return static_cast<double>(s.lag_sessions); }));

  std::string out = kHead;
  out += "<pre>" + escaped(to_table(options, result)) + "</pre>";
  for (const Plot* p : {&rate, &latency, &lag}) out += to_svg(*p);
  return out + "</html>\n";
}

}  // namespace hotpair::bench::sync
