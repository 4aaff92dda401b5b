#include "tools/replay/report.hpp"

#include <cstdio>

namespace hotpair::replay {

using nlohmann::json;

namespace {

std::string counted(std::uint64_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string spoken(Duration d) {
  const auto seconds = static_cast<long long>(d / 1s);
  char text[48];
  if (seconds < 120)
    std::snprintf(text, sizeof text, "%.1f s", to_seconds(d));
  else if (seconds < 7200)
    std::snprintf(text, sizeof text, "%lld min %lld s", seconds / 60, seconds % 60);
  else
    std::snprintf(text, sizeof text, "%lld h %lld min", seconds / 3600, seconds % 3600 / 60);
  return text;
}

void block(std::string& out, const char* title, const std::vector<std::string>& lines) {
  bool first = true;
  char heading[16];
  for (const std::string& line : lines) {
    std::snprintf(heading, sizeof heading, "  %-10s", std::exchange(first, false) ? title : "");
    out += heading + line + "\n";
  }
}

std::string difference_text(const Difference& difference) {
  std::string out = "  THE CODE NOW DECIDES OTHERWISE at " + difference.time + ", step " +
                    std::to_string(difference.step) + "\n";
  const std::vector<std::string> nothing{"nothing"};
  block(out, "learned", {difference.event});
  block(out, "recorded", difference.recorded.empty() ? nothing : difference.recorded);
  block(out, "now", difference.now.empty() ? nothing : difference.now);
  block(out, "differs", difference.details);
  return out;
}

}  // namespace

std::string in_words(const FileReport& report) {
  std::string out = report.file + ":";
  if (report.chassis != 0)
    out += " node " + std::to_string(report.chassis) + " (" + report.hostname + "), hotpaird " +
           report.version + ", " + report.began + " and " + spoken(report.length) + " on\n  " +
           counted(report.steps, "step") + ", " + counted(report.role_changes, "change") +
           " of role, " + report.role + " in the end" +
           (report.difference || !report.error.empty() ? "" : ": the same decisions");
  out += "\n";
  if (report.missing_steps != 0)
    out += "  then " + counted(report.missing_steps, "step") +
           " are missing: the disk was too slow for the recorder\n";
  if (report.fields_missing + report.fields_unknown != 0)
    out += "  recorded by another version: " + counted(report.fields_missing, "field") +
           " of now unknown to it, " + counted(report.fields_unknown, "field") +
           " of then unknown now; a difference may come from that\n";
  if (report.difference) out += difference_text(*report.difference);
  if (!report.error.empty()) out += "  cannot go on: " + report.error + "\n";
  return out;
}

json to_json(const FileReport& report) {
  json out = {{"file", report.file},
              {"ok", report.error.empty() && !report.difference},
              {"error", report.error},
              {"version", report.version},
              {"chassis_id", report.chassis},
              {"hostname", report.hostname},
              {"role", report.role},
              {"segment", report.segment},
              {"continues", report.continues},
              {"began", report.began},
              {"seconds", to_seconds(report.length)},
              {"steps", report.steps},
              {"missing_steps", report.missing_steps},
              {"role_changes", report.role_changes},
              {"fields_missing", report.fields_missing},
              {"fields_unknown", report.fields_unknown},
              {"difference", nullptr}};
  if (const auto& difference = report.difference)
    out["difference"] = {{"time", difference->time},   {"step", difference->step},
                         {"event", difference->event}, {"recorded", difference->recorded},
                         {"now", difference->now},     {"details", difference->details}};
  return out;
}

json to_json(const Told& told) {
  return {{"time", told.time},
          {"seconds", to_seconds(told.since_start)},
          {"kind", told.kind},
          {"event", told.event},
          {"decisions", told.decisions}};
}

std::string verbose_lines(const Told& told) {
  std::string out = told.time + "  " + told.event + "\n";
  for (const std::string& decision : told.decisions) out += "    " + decision + "\n";
  return out;
}

std::string story_lines(const Told& told, int chassis) {
  std::string out;
  char time[32];
  std::snprintf(time, sizeof time, "%9.3f %d ", to_seconds(told.since_start), chassis);
  for (const std::string& report : told.reports) out += time + report + "\n";
  return out;
}

}  // namespace hotpair::replay
