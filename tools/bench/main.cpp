// hotpair-bench: measures what a pair does to the traffic that crosses it.
#include <csignal>

#include <CLI/CLI.hpp>

#include "tools/bench/commands.hpp"

namespace {

constexpr const char* kDescription =
    "Measures what a pair does to the traffic that crosses it.\n"
    "\n"
    "A failover, measured on your own network:\n"
    "  behind the firewalls     hotpair-bench serve\n"
    "  before the firewalls     hotpair-bench flows --server4 198.51.100.10 --tcp 200\n"
    "                           mark outage      (typed; then pull the plug of the primary)\n"
    "                           report           (one line of JSON: silence, losses, survivors)\n"
    "  with a full table        hotpair-bench fill --sessions 500000      (on the primary, as "
    "root)\n"
    "\n"
    "The same on this machine alone, in a network of its own:\n"
    "                           hotpair-bench failover --sessions 500000 --compare keepalived\n"
    "Session sync from kernel to kernel, on this machine alone: hotpair-bench kernel,\n"
    "connections, bulk and soak.\n"
    "The replication itself, on this machine or over a cable:\n"
    "                           hotpair-bench sync --sessions 10000000\n";

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  CLI::App app{kDescription, "hotpair-bench"};
  app.require_subcommand(1);
  int exit_status = 0;
  hotpair::bench::add_serve(app, exit_status);
  hotpair::bench::add_flows(app, exit_status);
  hotpair::bench::add_fill(app, exit_status);
  hotpair::bench::add_failover(app, exit_status);
  hotpair::bench::add_bulk(app, exit_status);
  hotpair::bench::add_connections(app, exit_status);
  hotpair::bench::add_kernel(app, exit_status);
  hotpair::bench::add_soak(app, exit_status);
  hotpair::bench::add_sync(app, exit_status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return exit_status;
}
