// hotpair-bench flows: the near end. Opens connections and streams, keeps them busy, and reports
// what happened to them between a mark and a report.
#include <array>
#include <csignal>
#include <cstdio>

#include <unistd.h>

#include "platform/linux/event_loop.hpp"
#include "tools/bench/commands.hpp"
#include "tools/bench/endpoint.hpp"
#include "tools/bench/traffic.hpp"

namespace hotpair::bench {
namespace {

constexpr std::size_t kLongestLine = 4096;

struct FlowsArguments {
  std::string server4, server6;
  double tcp_interval_ms = 50, udp_interval_ms = 1, settle_s = 5;
  TrafficOptions traffic;
};

void print_line(const nlohmann::json& object) {
  std::printf("%s\n", object.dump().c_str());
  std::fflush(stdout);
}

// Commands come a line at a time: mark NAME, report, quit.
class Commands {
 public:
  Commands(sys::EventLoop& loop, Traffic& traffic) : loop_(loop), traffic_(traffic) {}

  void read_some() {
    std::array<char, 512> bytes;
    const ssize_t got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (got <= 0) return loop_.stop();
    pending_.append(bytes.data(), static_cast<std::size_t>(got));
    for (std::size_t end; (end = pending_.find('\n')) != std::string::npos;) {
      obey(pending_.substr(0, end));
      pending_.erase(0, end + 1);
    }
    if (pending_.size() > kLongestLine) pending_.clear();
  }

 private:
  void obey(const std::string& line) {
    if (line.rfind("mark ", 0) == 0) return traffic_.mark(line.substr(5));
    if (line == "report") return traffic_.report();
    if (line == "quit") return loop_.stop();
    if (!line.empty())
      print_line({{"event", "error"},
                  {"error", "unknown command '" + line + "'; there are: mark NAME, report, quit"}});
  }

  sys::EventLoop& loop_;
  Traffic& traffic_;
  std::string pending_;
};

Duration from_milliseconds(double ms) {
  return Duration(static_cast<std::int64_t>(ms * 1e6));
}

Status run_flows(const FlowsArguments& arguments) {
  TrafficOptions options = arguments.traffic;
  options.tcp_interval = from_milliseconds(arguments.tcp_interval_ms);
  options.udp_interval = from_milliseconds(arguments.udp_interval_ms);
  options.settle = from_milliseconds(arguments.settle_s * 1e3);
  for (const std::string& server : {arguments.server4, arguments.server6})
    if (!server.empty()) options.servers.push_back(server);
  if (options.servers.empty())
    return fail_with("give the far end's address: --server4 198.51.100.10, --server6, or both");
  raise_file_limit();
  measure_in_real_time("flows");
  auto loop = sys::EventLoop::create();
  if (!loop) return fail(loop.error());
  Traffic traffic(**loop, options, print_line);
  if (Status started = traffic.start(); !started) return started;
  Commands commands(**loop, traffic);
  Status added = (*loop)->add(STDIN_FILENO, EPOLLIN, [&](std::uint32_t) { commands.read_some(); });
  if (!added) return added;
  Status signals = (*loop)->on_signals({SIGTERM, SIGINT}, [&](int) { (*loop)->stop(); });
  if (!signals) return signals;
  (*loop)->run();
  return Ok{};
}

}  // namespace

void add_flows(CLI::App& app, int& exit_status) {
  CLI::App* command = app.add_subcommand(
      "flows", "The near end: connections and datagram streams to a server, measured in windows");
  static FlowsArguments given;
  command->add_option("--server4", given.server4, "IPv4 address of 'hotpair-bench serve'");
  command->add_option("--server6", given.server6, "IPv6 address of it");
  command->add_option("--port", given.traffic.port, "its port")->capture_default_str();
  command->add_option("--tcp", given.traffic.tcp, "TCP connections, spread over the addresses")
      ->check(CLI::Range(0, 60000))
      ->capture_default_str();
  command
      ->add_option("--tcp-interval", given.tcp_interval_ms, "ms between a connection's exchanges")
      ->check(CLI::Range(1.0, 60000.0))
      ->capture_default_str();
  command->add_option("--udp", given.traffic.udp, "UDP streams to each address")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  command->add_option("--udp-interval", given.udp_interval_ms, "ms between a stream's datagrams")
      ->check(CLI::Range(0.1, 10000.0))
      ->capture_default_str();
  command->add_option("--settle", given.settle_s, "s a report waits for the last signs of life")
      ->check(CLI::Range(0.0, 300.0))
      ->capture_default_str();
  command->footer(
      "Reads commands from its input, a line each, and answers with lines of JSON:\n"
      "  mark NAME    a window of measurement begins\n"
      "  report       it ends: longest silence, losses, longest stall, who is alive and why not\n"
      "  quit         (or the end of the input)\n"
      "Example: (echo mark outage; sleep 30; echo report; sleep 6) | \\\n"
      "           hotpair-bench flows --server4 198.51.100.10 --server6 2001:db8:2::10");
  command->callback([&exit_status] {
    const Status done = run_flows(given);
    if (!done) std::fprintf(stderr, "hotpair-bench flows: %s\n", done.error().message.c_str());
    exit_status = done ? 0 : 1;
  });
}

}  // namespace hotpair::bench
