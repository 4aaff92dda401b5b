// hotpair-dataplane: reads the configuration, starts DPDK, puts the parts together, runs the loop.
#include <cstdio>
#include <functional>
#include <optional>
#include <string>

#include <CLI/CLI.hpp>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/daemon/control_schema.hpp"
#include "dataplane/conntrack/threaded_sink.hpp"
#include "dataplane/conntrack/threaded_source.hpp"
#include "dataplane/dpdk/device_requests.hpp"
#include "dataplane/dpdk/eal.hpp"
#include "dataplane/dpdk/kernel_setup.hpp"
#include "dataplane/dpdk/loop.hpp"
#include "platform/base/dpdk_device.hpp"
#include "platform/config/config.hpp"
#include "platform/linux/crypto.hpp"
#include "platform/linux/huge_pages.hpp"
#include "platform/linux/ip_address.hpp"
#include "platform/linux/log_sink.hpp"
#include "platform/linux/numa.hpp"
#include "platform/linux/sd_notify.hpp"

namespace hotpair::dpdk {
namespace {

constexpr int kGood = 0, kFailed = 1, kWrongUsage = 2;

struct Options {
  std::string config_dir = "/etc/hotpair";
  std::string run_dir = "/run/hotpair";
  std::string state_dir = "/var/lib/hotpair";
  std::string log_level = "info";
  bool check_config = false;
};

constexpr const char* kDescription =
    "Keeps a live copy of every session in the peer's kernel.\n\n"
    "Runs beside hotpaird, which tells it its role: as primary it reads the kernel's conntrack "
    "table and\n"
    "sends every change over the session-sync port, as backup it writes what it receives into its "
    "own\n"
    "kernel. Configured by session_sync in node.yaml and session_pickup in cluster.yaml.";

constexpr const char* kExamples =
    "Examples:\n"
    "  hotpair-dataplane                              as a service does, with /etc/hotpair\n"
    "  hotpair-dataplane --check-config               read both files, say what is wrong, exit\n"
    "  hotpair-dataplane --config-dir ./n1 --run-dir /run/n1 --log-level debug\n"
    "Look inside: hotpair sessions, hotpair verify, hotpair status\n"
    "SIGHUP reads session_pickup again. Exit status: 0 good, 1 failed, 2 wrong usage or "
    "configuration.";

void add_options(CLI::App& app, Options& options) {
  app.footer(kExamples);
  app.set_version_flag("--version", "hotpair-dataplane " HOTPAIR_VERSION);
  app.add_option("--config-dir", options.config_dir, "where node.yaml and cluster.yaml are")
      ->capture_default_str();
  app.add_option("--run-dir", options.run_dir, "where the sockets are")->capture_default_str();
  app.add_option("--state-dir", options.state_dir, "accepted as by hotpaird; nothing is kept there")
      ->capture_default_str();
  app.add_option("--log-level", options.log_level, "what is logged at least")
      ->check(CLI::IsMember({"debug", "info", "notice", "warning", "error"}))
      ->capture_default_str();
  app.add_flag("--check-config", options.check_config, "only read the configuration and exit");
}

std::optional<config::Config> load(const std::string& directory) {
  auto config = config::load_config(directory);
  if (config.ok()) return std::move(config).value();
  for (const config::ConfigProblem& problem : config.error())
    std::fprintf(stderr, "%s\n", problem.text().c_str());
  return std::nullopt;
}

dataplane::PickupOptions pickup_of(const config::SessionPickup& from) {
  dataplane::PickupOptions out;
  out.enabled = from.enabled;
  out.udp = from.udp;
  out.icmp = from.icmp;
  out.sctp = from.sctp;
  out.expectations = from.expectations;
  out.only_assured = from.from == config::PickupFrom::assured;
  out.delay = from.delay;
  for (const std::string& text : from.exclude)
    if (const auto prefix = sys::parse_ip_prefix(text))
      out.exclude.push_back({prefix->address.bytes, prefix->length, prefix->address.ipv6});
  return out;
}

// As many as the kernel may hold, within what the table can number. The nodes may differ: what
// exceeds the smaller table is counted there and never called in sync.
std::uint32_t table_size(const KernelTable& kernel) {
  constexpr std::uint32_t kLeast = 1u << 16, kMost = 1u << 24;
  return kernel.max_sessions == 0 ? 1u << 20 : std::clamp(kernel.max_sessions, kLeast, kMost);
}

EalOptions eal_options(const config::SessionSync& sync, const std::string& run_dir) {
  EalOptions out;
  out.hugepages = sync.hugepages;
  out.lcores = sync.lcores;
  for (const std::string& device : sync.devices) {
    out.port_nodes.push_back(sys::numa_node_of_device(device));
    if (pci_address_of(device)) out.pci_devices.push_back(device);
  }
  out.file_prefix = "hotpair_" + std::to_string(std::hash<std::string>{}(run_dir)) + "_" +
                    std::to_string(getpid());
  return out;
}

// A second CPU is for threads that read the kernel's events and write into it, a third for the one
// that writes alone.
Status open_kernel_sides(const std::vector<unsigned>& lcores, ReplicaParts& parts, const Log& log) {
  auto source = conntrack::Source::open({});
  if (!source.ok()) return fail(source.error());
  auto sink = conntrack::Sink::open();
  if (!sink.ok()) return fail(sink.error());
  parts.source = std::move(source).value();
  parts.sink = std::move(sink).value();
  if (lcores.size() < 2) return Ok{};
  Status reads_there = Ok{}, writes_there = Ok{};
  parts.source = conntrack::in_a_thread(std::move(parts.source), lcores[1], reads_there);
  parts.sink = conntrack::in_a_thread(std::move(parts.sink), lcores[lcores.size() > 2 ? 2 : 1],
                                      writes_there);
  for (const Status& placed : {reads_there, writes_there})
    if (!placed.ok())
      log.warning("lcore-unavailable", "a thread of session sync runs where the system likes: " +
                                           placed.error().message +
                                           "; see 'lscpu', and session_sync.lcores");
  return Ok{};
}

Result<ReplicaParts> make_parts(const config::Config& config, const Options& options,
                                Counters& counters, const Log& log) {
  const config::SessionSync& sync = config.node.session_sync;
  ReplicaParts parts;
  const auto kernel = prepare_kernel(sync.conntrack, log);
  if (!kernel.ok()) return fail(kernel.error());
  parts.engine.max_sessions = table_size(*kernel);
  if (!sync.devices.empty()) {
    if (Status eal = start_eal(eal_options(sync, options.run_dir), log); !eal.ok())
      return fail(eal.error());
    if (Status heard = listen_for_device_requests(); !heard.ok())
      log.warning("device-requests", heard.error().message);
    auto ports = Ports::open(sync.devices, counters, log);
    if (!ports.ok()) return fail(ports.error());
    parts.ports = std::move(ports).value();
  } else {
    log.notice("no-port", "session_sync.devices is empty: sessions are not replicated");
  }
  if (Status kernel_sides = open_kernel_sides(sync.lcores, parts, log); !kernel_sides.ok())
    return fail(kernel_sides.error());
  parts.identity.group = static_cast<std::uint16_t>(config.cluster.group_id);
  parts.identity.chassis = static_cast<std::uint8_t>(config.node.chassis_id);
  parts.identity.ethertype = config.cluster.heartbeat.ethertype;
  std::array<std::uint8_t, 8> seed;
  sys::random_bytes(seed);
  parts.engine.seed = load_be<std::uint64_t>(seed.data());
  // This thread is the lcore's since DPDK started, and the kernel gives memory where it is first
  // touched: so the table is on the lcore's NUMA node.
  parts.engine.advise = sys::take_huge_pages;
  parts.engine.pickup = pickup_of(config.cluster.session_pickup);
  return parts;
}

LoopOptions loop_options(const config::Config& config, const Options& options) {
  LoopOptions out;
  out.control_path = options.run_dir + "/" + control::kDataplaneSocket;
  out.agent.path = options.run_dir + "/" + dataplane::control::kSocketName;
  out.agent.chassis = static_cast<std::uint8_t>(config.node.chassis_id);
  out.agent.group = static_cast<std::uint16_t>(config.cluster.group_id);
  sys::random_bytes(out.agent.nonce);
  return out;
}

void on_signal(Loop& loop, const Options& options, const Log& log, int signal) {
  if (signal != SIGHUP) {
    sys::notify_stopping();
    return loop.events().stop();
  }
  if (const auto config = load(options.config_dir)) {
    loop.set_pickup(pickup_of(config->cluster.session_pickup));
    log.notice("reloaded", "session_pickup was read again; the other settings need a restart");
  } else {
    log.warning("reload-refused", "the configuration has mistakes; what was in force stays");
  }
}

// DPDK starts threads; they must not be the ones a signal ends.
void hold_signals_back() {
  sigset_t held;
  sigemptyset(&held);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&held, signal);
  (void)pthread_sigmask(SIG_BLOCK, &held, nullptr);
}

// At a takeover the agent waits for us; other work of the machine may not come between. Not
// real-time: a table that is being transferred may keep a CPU busy for seconds.
void ask_for_precedence(const Log& log) {
  constexpr int kNice = -15;
  ::prctl(PR_SET_TIMERSLACK, 1);  // rests of half a millisecond end when they should
  if (setpriority(PRIO_PROCESS, 0, kNice) != 0)
    log.info(
        "no-precedence",
        "runs with ordinary priority, so a takeover may take longer on a busy machine; give it "
        "CAP_SYS_NICE");
}

int run(const config::Config& config, const Options& options, const Log& log) {
  hold_signals_back();
  ask_for_precedence(log);
  Counters counters;
  auto parts = make_parts(config, options, counters, log);
  if (!parts.ok()) {
    log.error("start-failed", parts.error().message);
    sys::pause_before_restart();
    return kFailed;
  }
  const std::string port = parts->ports ? parts->ports->device() : "no device";
  auto loop = Loop::create(loop_options(config, options), std::move(parts).value(), counters, log);
  if (!loop.ok()) {
    log.error("start-failed", loop.error().message);
    sys::pause_before_restart();
    return kFailed;
  }
  const Status signals = (*loop)->events().on_signals(
      {SIGTERM, SIGINT, SIGHUP}, [&](int signal) { on_signal(**loop, options, log, signal); });
  if (!signals.ok()) log.warning("signals", signals.error().message);

  log.info("started", "the data plane runs", {{"port", port}});
  sys::notify_ready("session sync over " + port);
  (*loop)->run();
  return kGood;
}

}  // namespace
}  // namespace hotpair::dpdk

int main(int argc, char** argv) {
  using namespace hotpair;
  dpdk::Options options;
  CLI::App app(dpdk::kDescription, "hotpair-dataplane");
  dpdk::add_options(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? dpdk::kGood : dpdk::kWrongUsage;
  }
  const auto config = dpdk::load(options.config_dir);
  if (options.check_config) {
    if (config) std::puts("the configuration is good");
    return config ? dpdk::kGood : dpdk::kWrongUsage;
  }
  if (!config) {
    sys::pause_before_restart();
    return dpdk::kWrongUsage;
  }
  sys::LogOptions log;
  log.program = "hotpair-dataplane";
  log.level = sys::parse_log_level(options.log_level).value_or(LogLevel::info);
  const int status = dpdk::run(*config, options, sys::make_log(log));
  dpdk::stop_eal();
  return status;
}
