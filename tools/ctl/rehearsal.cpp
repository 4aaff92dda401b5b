// `hotpair what-if` and `hotpair failover --dry-run`: the daemon's own decisions, asked for and not
// carried out.
#include <cstdio>
#include <vector>

#include "agent/daemon/control_schema.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/json_access.hpp"

namespace hotpair::ctl {
namespace {

struct Assumed {
  std::vector<std::string> links, modules, remotes;
  std::string management, forced, power;
  long long uptime = -1;
  int node = 0;
};
Assumed assumed;

// NAME=word becomes the two parts; the validators below have seen that there is one '='.
std::pair<std::string, std::string> parts(const std::string& argument) {
  const auto at = argument.rfind('=');
  return {argument.substr(0, at), argument.substr(at + 1)};
}

CLI::Validator one_of(const char* name, const char* good, const char* bad) {
  const std::string form = std::string(name) + "=" + good + "|" + bad;
  return CLI::Validator(
      [form, good = std::string(good), bad = std::string(bad)](const std::string& argument) {
        const auto at = argument.rfind('=');
        const bool fits = at != std::string::npos && at > 0 &&
                          (argument.substr(at + 1) == good || argument.substr(at + 1) == bad);
        return fits ? std::string() : "'" + argument + "' is not " + form;
      },
      form);
}

void add(Json& list, Json one) {
  if (assumed.node != 0) one["node"] = assumed.node;
  list.push_back(std::move(one));
}

Json assumptions() {
  Json list = Json::array();
  for (const auto& link : assumed.links)
    add(list,
        {{"kind", "link"}, {"name", parts(link).first}, {"good", parts(link).second == "up"}});
  for (const auto& remote : assumed.remotes)
    add(list, {{"kind", "remote"},
               {"name", parts(remote).first},
               {"good", parts(remote).second == "reached"}});
  for (const auto& module : assumed.modules)
    add(list, {{"kind", "module"},
               {"slot", std::atoi(parts(module).first.c_str())},
               {"good", parts(module).second == "ok"}});
  if (!assumed.management.empty())
    add(list, {{"kind", "management"}, {"good", assumed.management == "up"}});
  if (!assumed.power.empty()) add(list, {{"kind", "power"}, {"good", assumed.power == "on"}});
  if (!assumed.forced.empty()) add(list, {{"kind", "forced"}, {"state", assumed.forced}});
  if (assumed.uptime >= 0) add(list, {{"kind", "uptime"}, {"seconds", assumed.uptime}});
  return list;
}

void print_answer(const Style& style, const Json& answer) {
  const bool moves = flag(answer, "moves");
  std::printf("%s\n", style(moves ? Tone::warning : Tone::good, text(answer, "text")).c_str());
  const std::string held = text(answer, "held_back");
  if (!held.empty())
    std::printf("%s\n", style(Tone::warning, "At present it would wait: " + held).c_str());
  for (const Json& note : child(answer, "notes"))
    std::printf("Note: %s\n", text(Json{{"n", note}}, "n").c_str());
  std::vector<std::vector<Cell>> rows = {{"criterion", "node 1", "node 2", ""}};
  for (const Json& row : child(answer, "criteria")) {
    const bool decides = flag(row, "decides");
    const Tone tone = decides ? Tone::strong : Tone::plain;
    rows.push_back({{text(row, "criterion"), tone},
                    {text(row, "one"), tone},
                    {text(row, "two"), tone},
                    {decides ? "<- decides" : "", tone}});
  }
  if (rows.size() > 1) std::printf("\n%s", columns(style, rows).c_str());
}

}  // namespace

void add_what_if_options(CLI::App& app) {
  app.add_option("--node", assumed.node, "whose: 1 or 2; default: this node")
      ->check(CLI::IsMember({1, 2}));
  app.add_option("--link", assumed.links, "a data interface, by its name in cluster.yaml")
      ->check(one_of("NAME", "up", "down"));
  app.add_option("--remote", assumed.remotes, "a remote monitor, by its address")
      ->check(one_of("ADDRESS", "reached", "lost"));
  app.add_option("--module", assumed.modules, "a module, by its slot")
      ->check(one_of("SLOT", "ok", "failed"));
  app.add_option("--management", assumed.management, "the management link")
      ->check(CLI::IsMember({"up", "down"}));
  app.add_option("--power", assumed.power, "the whole node")->check(CLI::IsMember({"on", "off"}));
  app.add_option("--forced", assumed.forced, "an operator's force")
      ->check(CLI::IsMember({"primary", "backup", "none"}));
  app.add_option("--uptime", assumed.uptime, "seconds since its agent started")
      ->check(CLI::NonNegativeNumber);
}

Exit run_what_if(Context& context) {
  const Json list = assumptions();
  if (list.empty()) {
    std::fprintf(stderr, "hotpair: nothing is assumed; try 'hotpair what-if --link wan=down'\n");
    return Exit::usage;
  }
  auto answer =
      context.ask(Daemon::agent, {{"command", control::command::kWhatIf}, {"assumptions", list}});
  if (!answer) return Exit::unreachable;
  if (!accepted(context, *answer)) return Exit::refused;
  if (!context.print_json(*answer)) print_answer(context.style, *answer);
  return Exit::good;
}

Exit rehearse_failover(const Context& context, bool by_force) {
  auto answer = context.ask(
      Daemon::agent,
      {{"command", control::command::kFailover}, {"force", by_force}, {"dry_run", true}});
  if (!answer) return Exit::unreachable;
  if (!accepted(context, *answer)) return Exit::refused;
  const bool allowed = flag(*answer, "allowed");
  if (!context.print_json(*answer)) {
    std::printf("%s\n",
                context.style(allowed ? Tone::good : Tone::warning, text(*answer, "text")).c_str());
    int number = 0;
    for (const Json& step : child(*answer, "steps"))
      std::printf("  %2d. node %s  %-16s %s\n", ++number, text(step, "node").c_str(),
                  text(step, "name").c_str(), text(step, "text").c_str());
  }
  return allowed ? Exit::good : Exit::refused;
}

}  // namespace hotpair::ctl
