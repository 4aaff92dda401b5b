#include "tools/bench/sync/report.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstdio>

#include <nlohmann/json.hpp>

namespace hotpair::bench::sync {

namespace {

using nlohmann::json;

constexpr std::array<Stage, 6> kSenderStages = {Stage::load, Stage::table, Stage::encode,
                                                Stage::seal, Stage::open,  Stage::answer};
constexpr std::array<Stage, 4> kReceiverStages = {Stage::open, Stage::decode, Stage::apply,
                                                  Stage::answer};

[[gnu::format(printf, 2, 3)]] void add(std::string& out, const char* format, ...) {
  std::array<char, 256> line;
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line.data(), line.size(), format, arguments);
  va_end(arguments);
  out += line.data();
}

double each(std::uint64_t of, double what) {
  return of == 0 ? 0 : what / static_cast<double>(of);
}
double per_delta(const PhaseTimes& phase, const StageTimes& times, Stage stage) {
  return each(phase.deltas, static_cast<double>(times[static_cast<std::size_t>(stage)].count()));
}
double rate(const PhaseTimes& phase) {
  return phase.took > Duration{0} ? static_cast<double>(phase.deltas) / to_seconds(phase.took) : 0;
}
// What the slower end takes when nothing else runs on its core.
double core_rate(const PhaseTimes& phase) {
  const Duration slower = std::max(busy(phase.sender), busy(phase.receiver));
  return slower > Duration{0} ? static_cast<double>(phase.deltas) / to_seconds(slower) : 0;
}
double us(Duration d) {
  return static_cast<double>(d.count()) / 1e3;
}

void add_rates(std::string& out, const Outcome& result) {
  add(out, "%-8s %12s %9s %9s %9s %8s %8s %9s %9s %9s\n", "phase", "deltas", "seconds", "M/s",
      "M/s core", "B wire", "B body", "p50 us", "p99 us", "p99.9 us");
  for (const PhaseTimes& p : result.phases)
    add(out, "%-8s %12llu %9.3f %9.2f %9.2f %8.2f %8.2f %9.1f %9.1f %9.1f\n", p.name.c_str(),
        static_cast<unsigned long long>(p.deltas), to_seconds(p.took), rate(p) / 1e6,
        core_rate(p) / 1e6, each(p.deltas, static_cast<double>(p.wire_bytes)),
        each(p.deltas, static_cast<double>(p.body_bytes)), us(p.latencies.percentile(50)),
        us(p.latencies.percentile(99)), us(p.latencies.percentile(99.9)));
}

void add_stages(std::string& out, const Outcome& result) {
  add(out, "\nns a delta   the primary's core:");
  for (const Stage s : kSenderStages) add(out, " %7s", name_of(s));
  add(out, "   the backup's:");
  for (const Stage s : kReceiverStages) add(out, " %7s", name_of(s));
  out += "\n";
  for (const PhaseTimes& p : result.phases) {
    add(out, "%-8s %24s", p.name.c_str(), "");
    for (const Stage s : kSenderStages) add(out, " %7.1f", per_delta(p, p.sender, s));
    add(out, "%16s", "");
    for (const Stage s : kReceiverStages) add(out, " %7.1f", per_delta(p, p.receiver, s));
    out += "\n";
  }
}

json stages_json(const PhaseTimes& phase, const StageTimes& times) {
  json out = json::object();
  for (std::size_t i = 0; i < kStages; ++i)
    out[name_of(static_cast<Stage>(i))] = per_delta(phase, times, static_cast<Stage>(i));
  return out;
}

json phase_json(const PhaseTimes& p) {
  return {
      {"name", p.name},
      {"deltas", p.deltas},
      {"applied", p.applied},
      {"began_s", to_seconds(p.began_at)},
      {"seconds", to_seconds(p.took)},
      {"deltas_per_s", rate(p)},
      {"deltas_per_core_s", core_rate(p)},
      {"primary_interrupted_s", to_seconds(p.sender[static_cast<std::size_t>(Stage::interrupted)])},
      {"frames", p.frames},
      {"wire_bytes_a_delta", each(p.deltas, static_cast<double>(p.wire_bytes))},
      {"body_bytes_a_delta", each(p.deltas, static_cast<double>(p.body_bytes))},
      {"primary_ns_a_delta", stages_json(p, p.sender)},
      {"backup_ns_a_delta", stages_json(p, p.receiver)},
      {"latency_us",
       {{"p50", us(p.latencies.percentile(50))},
        {"p90", us(p.latencies.percentile(90))},
        {"p99", us(p.latencies.percentile(99))},
        {"p99_9", us(p.latencies.percentile(99.9))},
        {"samples", p.latencies.count()}}}};
}

}  // namespace

std::string to_table(const Options& options, const Outcome& result) {
  std::string out;
  add(out, "session sync, %s, %s, frames of %zu bytes, seed %llu\n\n",
      options.device.empty() ? "rings between two threads" : options.device.c_str(),
      options.sealed ? "sealed (AES-256-GCM)" : "not sealed", result.frame,
      static_cast<unsigned long long>(options.seed));
  add_rates(out, result);
  add_stages(out, result);
  out +=
      "\nM/s core: what the slower end's core takes by its stages, without making the load and "
      "without\nwhat else the machine ran meanwhile.\n";
  add(out, "\nat most %llu sessions; bytes a session: primary %.1f, backup %.1f\n",
      static_cast<unsigned long long>(result.most_sessions), result.bytes_a_session_primary,
      result.bytes_a_session_backup);
  add(out, "frames lost %llu; at the end %llu and %llu sessions, tables %s\n",
      static_cast<unsigned long long>(result.frames_lost),
      static_cast<unsigned long long>(result.sessions_primary),
      static_cast<unsigned long long>(result.sessions_backup),
      result.equal ? "equal by digest" : "NOT proven equal");
  if (!result.failure.empty()) add(out, "failed: %s\n", result.failure.c_str());
  return out;
}

std::string to_json(const Options& options, const Outcome& result) {
  json out = {{"sessions", options.sessions},
              {"sealed", options.sealed},
              {"device", options.device},
              {"frame", result.frame},
              {"seed", options.seed},
              {"loss_percent", options.loss_percent},
              {"reorder_percent", options.reorder_percent},
              {"equal", result.equal},
              {"failure", result.failure},
              {"frames_lost", result.frames_lost},
              {"most_sessions", result.most_sessions},
              {"sessions_primary", result.sessions_primary},
              {"sessions_backup", result.sessions_backup},
              {"bytes_a_session_primary", result.bytes_a_session_primary},
              {"bytes_a_session_backup", result.bytes_a_session_backup}};
  for (const PhaseTimes& phase : result.phases) out["phases"].push_back(phase_json(phase));
  for (const Sample& s : result.sender_series)
    out["lag"].push_back({to_seconds(s.at), s.lag_sessions});
  for (const Sample& s : result.receiver_series)
    out["applied"].push_back({to_seconds(s.at), s.deltas_per_s, us(s.p50), us(s.p99)});
  return out.dump(2);
}

}  // namespace hotpair::bench::sync
