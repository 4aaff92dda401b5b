#include "tools/ctl/doctor/config_checks.hpp"

#include <cinttypes>
#include <cstdio>
#include <filesystem>

#include "tools/ctl/json_access.hpp"

namespace hotpair::ctl {
namespace {

constexpr std::size_t kShortPassword = 16;

void check_password(const config::ClusterFile& cluster, Report& report) {
  const auto passwords = config::load_passwords(cluster);
  if (!passwords)
    return report.add({"config.password", Severity::problem, passwords.error().message,
                       "the two nodes know each other by this password alone",
                       "install -m 600 /dev/null " + cluster.password_file +
                           " && openssl rand -base64 32 > " + cluster.password_file +
                           ", and copy it to the other node"});
  report.well("config.password");
  if (passwords->current.size() < kShortPassword)
    report.add({"config.password-short", Severity::warning,
                "the password has fewer than " + std::to_string(kShortPassword) + " characters",
                "it was made up by a person; whoever records heartbeats can try guesses in peace",
                "bring in one of 'openssl rand -base64 32', see 'hotpair password --help'"});
}

}  // namespace

std::optional<config::Config> check_files(const std::string& config_dir, bool agent_runs,
                                          Report& report) {
  auto loaded = config::load_config(config_dir);
  if (!loaded) {
    for (const auto& problem : loaded.error())
      report.add({"config.invalid", Severity::problem, problem.text(),
                  "a running hotpaird goes on with what it had; it would not start with this",
                  "correct the line, then 'hotpaird --check-config'"});
    return std::nullopt;
  }
  report.well("config.invalid");
  if (!agent_runs || std::filesystem::exists(loaded->cluster.password_file))
    check_password(loaded->cluster, report);
  return std::move(loaded).value();
}

void check_configuration(const config::Config& config, Report& report) {
  const auto& cluster = config.cluster;
  if (config.node.heartbeat_interfaces.size() < 2)
    report.add({"pair.one-heartbeat-interface", Severity::warning,
                "there is one heartbeat interface",
                "a dead cable then looks like a dead node, unless the session-sync port vouches "
                "for it",
                "add a second cable under heartbeat_interfaces in node.yaml of both nodes"});
  else
    report.well("pair.one-heartbeat-interface");
  if (cluster.redundant_interfaces.empty())
    report.add({"config.nothing-follows", Severity::warning, "no address follows the primary",
                "redundant_interfaces is empty",
                "name the shared addresses under redundant_interfaces in cluster.yaml"});
  else
    report.well("config.nothing-follows");
  if (!cluster.session_pickup.enabled)
    report.add({"config.sessions-not-kept", Severity::warning,
                "connections do not survive a takeover",
                "session_pickup.enabled is false in cluster.yaml",
                "set 'session_pickup: { enabled: true }' on both nodes, then 'hotpair reload'"});
  else if (config.node.session_sync.devices.empty())
    report.add({"config.no-session-sync", Severity::problem,
                "sessions are to be kept, and there is no port to replicate them over",
                "session_sync.devices is empty in node.yaml",
                "name a port there, e.g. devices: [\"net_af_packet0,iface=eth5\"], then 'systemctl "
                "restart hotpaird hotpair-dataplane'"});
  else
    report.well("config.no-session-sync");
}

void check_in_force(const config::Config& config, const nlohmann::json& status, Report& report) {
  const std::string running = text(status, "cluster_digest");
  if (running.empty()) return;
  char here[20];
  std::snprintf(here, sizeof here, "%016" PRIx64, config.cluster.digest);
  if (running == here) return report.well("config.not-in-force");
  report.add({"config.not-in-force", Severity::warning,
              "cluster.yaml says something else than what runs",
              "it was changed since hotpaird read it", "hotpair reload; or put the file back"});
}

}  // namespace hotpair::ctl
