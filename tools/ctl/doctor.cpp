// `hotpair doctor`: gathers what the daemons, the box and the files say, and prints what is wrong.
#include <cstdio>

#include "agent/daemon/control_schema.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/doctor/box.hpp"
#include "tools/ctl/doctor/config_checks.hpp"
#include "tools/ctl/doctor/pair_checks.hpp"
#include "tools/ctl/json_access.hpp"

namespace hotpair::ctl {
namespace {

std::string config_dir = "/etc/hotpair";

const char* word(Severity severity) {
  return severity == Severity::problem ? "PROBLEM" : "warning";
}

Json to_json(const Report& report, bool agent_runs) {
  Json findings = Json::array();
  for (const Finding& finding : report.findings())
    findings.push_back({{"id", finding.id},
                        {"group", title(group_of(finding.id))},
                        {"severity", finding.severity == Severity::problem ? "problem" : "warning"},
                        {"found", finding.found},
                        {"cause", finding.cause},
                        {"mend", finding.mend}});
  std::size_t checks = 0;
  for (const Group group : kGroups) checks += report.checks(group);
  return {{"ok", report.count(Severity::problem) == 0},
          {"agent_runs", agent_runs},
          {"checks", checks},
          {"problems", report.count(Severity::problem)},
          {"warnings", report.count(Severity::warning)},
          {"findings", findings}};
}

void print_finding(const Style& style, const Finding& finding) {
  const Tone tone = finding.severity == Severity::problem ? Tone::bad : Tone::warning;
  const auto clean = [](const std::string& words) { return text(Json{{"w", words}}, "w"); };
  std::printf("  %s  %s  %s\n", style(tone, word(finding.severity)).c_str(),
              clean(finding.found).c_str(), style(Tone::faint, "[" + finding.id + "]").c_str());
  if (!finding.cause.empty()) std::printf("           cause: %s\n", clean(finding.cause).c_str());
  if (!finding.mend.empty()) std::printf("           mend:  %s\n", clean(finding.mend).c_str());
}

void print_group(const Style& style, const Report& report, Group group) {
  std::printf("\n%s", style(Tone::strong, title(group)).c_str());
  std::size_t found = 0;
  for (const Severity severity : {Severity::problem, Severity::warning})
    for (const Finding& finding : report.findings()) {
      if (group_of(finding.id) != group || finding.severity != severity) continue;
      if (found++ == 0) std::printf("\n");
      print_finding(style, finding);
    }
  if (found > 0) return;
  if (report.checks(group) == 0)
    std::printf(": not looked at\n");
  else
    std::printf(": %s (%zu checks)\n", style(Tone::good, "all well").c_str(), report.checks(group));
}

std::string counted(std::size_t count, const char* what) {
  return spoken_count(count) + " " + what + (count == 1 ? "" : "s");
}

void print_report(const Style& style, const Report& report) {
  const std::size_t problems = report.count(Severity::problem);
  const std::size_t warnings = report.count(Severity::warning);
  const Tone tone = problems ? Tone::bad : warnings ? Tone::warning : Tone::good;
  const std::string summary =
      problems + warnings == 0 ? "All is well"
                               : counted(problems, "problem") + ", " + counted(warnings, "warning");
  std::printf("%s\n", style(tone, summary).c_str());
  for (const Group group : kGroups) print_group(style, report, group);
}

// The agent's status with the data plane's beside it; null when the agent does not answer.
Json ask_daemons(const Context& context) {
  auto status = context.try_ask(Daemon::agent, {{"command", control::command::kStatus}}, 2s);
  if (!status || !flag(*status, "ok")) return {};
  auto dataplane =
      context.try_ask(Daemon::dataplane, {{"command", control::command::kDataplaneStatus}}, 1s);
  if (dataplane) (*status)["dataplane"] = *dataplane;
  return *status;
}

// Of the peer, through the agent; null when it cannot be asked.
Json ask_for_facts(const Context& context, const Json& status) {
  if (!flag(child(status, "peer"), "alive")) return {};
  const auto answer = context.try_ask(
      Daemon::agent, {{"command", control::command::kConfig}, {"action", "facts"}}, 10s);
  return answer && flag(*answer, "ok") ? *answer : Json();
}

}  // namespace

void add_doctor_options(CLI::App& app) {
  app.add_option("--config-dir", config_dir, "where node.yaml and cluster.yaml are")
      ->capture_default_str();
}

Exit run_doctor(Context& context) {
  Report report;
  const Json status = ask_daemons(context);
  const bool runs = status.is_object();
  if (runs) {
    check_pair(status, report);
    check_facts(ask_for_facts(context, status), report);
  } else {
    report.add({"pair.agent-down", Severity::problem, "hotpaird does not run here, or not there",
                "nobody listens in " + context.run_dir,
                "systemctl start hotpaird; why it stopped: journalctl -u hotpaird -n 50; "
                "elsewhere: hotpair --run-dir DIR doctor"});
  }
  const auto config = check_files(config_dir, runs, report);
  if (config) check_configuration(*config, report);
  if (config && runs) check_in_force(*config, status, report);
  const auto known = config.value_or(config::Config{});
  check_box(read_box(known, context.pid_of(Daemon::agent)), known, report);
  if (!context.print_json(to_json(report, runs))) print_report(context.style, report);
  return report.count(Severity::problem) == 0 ? Exit::good : Exit::refused;
}

}  // namespace hotpair::ctl
