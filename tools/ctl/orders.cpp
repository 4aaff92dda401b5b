// Commands that change something: failover, force, maintenance, reload.
#include <cstdio>

#include "agent/daemon/control_schema.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/json_access.hpp"

namespace hotpair::ctl {
namespace {

bool force_failover = false;
bool dry_run = false;
std::string forced_state, maintenance_state;

// Stretching a password and writing to a disk take their time on a busy box.
constexpr Duration kReloadTimeout = 50s;

Exit order(const Context& context, const Json& request, const char* done, Duration timeout = 15s) {
  auto answer = context.ask(Daemon::agent, request, timeout);
  if (!answer) return Exit::unreachable;
  if (!accepted(context, *answer)) return Exit::refused;
  if (context.print_json(*answer)) return Exit::good;
  const std::string message = text(*answer, "message");
  std::printf("%s", message.empty() ? done : message.c_str());
  if (auto took = number(*answer, "took_ms")) std::printf(" (%.1f ms)", *took);
  std::printf("\n");
  return Exit::good;
}

}  // namespace

void add_failover_options(CLI::App& app) {
  app.add_flag("--force", force_failover,
               "move the role even to a backup that is not in sync: connections may be lost");
  app.add_flag("--dry-run", dry_run,
               "only tell what would happen, or why it is refused (exit status 1)");
}

Exit run_failover(Context& context) {
  if (dry_run) return rehearse_failover(context, force_failover);
  return order(context, {{"command", control::command::kFailover}, {"force", force_failover}},
               "The role has moved.");
}

void add_force_options(CLI::App& app) {
  app.add_option("state", forced_state, "primary, backup, or none to let the election decide again")
      ->required()
      ->check(CLI::IsMember({"primary", "backup", "none"}));
}

Exit run_force(Context& context) {
  return order(context, {{"command", control::command::kForce}, {"state", forced_state}}, "Done.");
}

void add_maintenance_options(CLI::App& app) {
  app.add_option("state", maintenance_state, "on, or off when the work is done")
      ->required()
      ->check(CLI::IsMember({"on", "off"}));
}

Exit run_maintenance(Context& context) {
  return order(context,
               {{"command", control::command::kMaintenance}, {"on", maintenance_state == "on"}},
               "Done.");
}

Exit run_reload(Context& context) {
  return order(context, {{"command", control::command::kReload}},
               "The configuration was read again.", kReloadTimeout);
}

}  // namespace hotpair::ctl
