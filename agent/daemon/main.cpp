// hotpaird: the command line, and from there to the one thing that was asked for.
#include <cstdio>
#include <vector>

#include <CLI/CLI.hpp>

#include "agent/daemon/runtime.hpp"
#include "agent/daemon/warden_process.hpp"
#include "platform/linux/log_sink.hpp"
#include "platform/linux/sd_notify.hpp"

namespace {

using namespace hotpair;

constexpr const char* kDescription =
    "hotpaird is the control-plane agent of hotpair: it exchanges heartbeats with the other node,\n"
    "decides with it who is primary, and moves the addresses that follow the primary.\n"
    "It runs in the foreground; systemd starts it as hotpaird.service.";

constexpr const char* kExamples =
    "Examples:\n"
    "  hotpaird --check-config                   is /etc/hotpair good? names every problem\n"
    "  hotpaird                                  run as systemd does; end it with Ctrl-C\n"
    "  hotpaird --config-dir /tmp/a/etc --run-dir /tmp/a/run --state-dir /tmp/a/lib\n"
    "                                            a second node on this machine, in a namespace\n"
    "  hotpaird --withdraw                       take every floating address off this box\n"
    "  hotpair status                            what a running agent says of the pair\n\n"
    "Files: node.yaml (this box) and cluster.yaml (the same on both) in the configuration "
    "directory.\n"
    "Needs CAP_NET_ADMIN and CAP_NET_RAW; CAP_SYS_NICE and CAP_IPC_LOCK keep it on time.\n"
    "Exit status: 0 good, 1 failed or refused, 2 wrong usage or configuration.";

struct CommandLine {
  daemon::Options options;
  bool check_config = false, withdraw = false;
  std::string log_level = "info";
  std::vector<std::uint8_t> protocol;  // lowest, highest
};

void describe(CLI::App& app, CommandLine& line) {
  app.footer(kExamples);
  app.set_version_flag("--version", std::string("hotpaird " HOTPAIR_VERSION));
  app.add_option("--config-dir", line.options.config_dir, "Where node.yaml and cluster.yaml are")
      ->capture_default_str();
  app.add_option("--run-dir", line.options.run_dir, "Sockets; one hotpaird a directory")
      ->capture_default_str();
  app.add_option("--state-dir", line.options.state_dir, "What outlives a restart: epoch, history")
      ->capture_default_str();
  app.add_option("--log-level", line.log_level, "The least that is logged")
      ->check(CLI::IsMember({"debug", "info", "notice", "warning", "error"}))
      ->capture_default_str();
  app.add_option("--recording", line.options.recording_mib,
                 "MiB of what this node learned and decided to keep, for hotpair-replay; 0: none")
      ->check(CLI::Range(16, 4096) | CLI::IsMember({0}))
      ->capture_default_str();
  // For trying a pair of two versions: what another build would say it speaks. Not in --help.
  app.add_option("--protocol", line.protocol)->group("")->expected(2);
  auto* check =
      app.add_flag("--check-config", line.check_config, "Check the configuration and end");
  app.add_flag("--withdraw", line.withdraw,
               "Remove all floating addresses and end (for ExecStopPost; harmless to repeat)")
      ->excludes(check);
}

int complain(const std::string& message, int exit_status) {
  std::fprintf(stderr, "hotpaird: %s\n", message.c_str());
  return exit_status;
}

daemon::Options options_of(const CommandLine& line) {
  daemon::Options options = line.options;
  if (line.protocol.size() == 2) options.protocol = {line.protocol[0], line.protocol[1]};
  return options;
}

int run(const CommandLine& line) {
  sys::LogOptions log_options;
  log_options.program = "hotpaird";
  log_options.level = *sys::parse_log_level(line.log_level);
  const auto feed = std::make_shared<daemon::EventFeed>();
  log_options.also = [feed](const LogRecord& record) { feed->pass(record); };
  const Log log = sys::make_log(log_options);
  auto prepared = daemon::prepare(options_of(line));
  if (!prepared) {
    for (const auto& message : prepared.error().messages) complain(message, 0);
    sys::pause_before_restart();
    return prepared.error().exit_status;
  }
  auto runtime = daemon::Runtime::create(std::move(prepared).value(), log, feed);
  if (!runtime) {
    complain(runtime.error().message, 0);
    sys::pause_before_restart();
    return daemon::kExitFailed;
  }
  return (*runtime)->run();
}

}  // namespace

int main(int argc, char** argv) {
  if (daemon::is_warden(argc, argv)) return daemon::be_warden();
  CLI::App app{kDescription, "hotpaird"};
  CommandLine line;
  describe(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? daemon::kExitGood : daemon::kExitConfiguration;
  }
  if (line.check_config) return daemon::check_config(line.options);
  if (line.withdraw) return daemon::withdraw_all(line.options);
  return run(line);
}
