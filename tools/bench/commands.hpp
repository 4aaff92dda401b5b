// The subcommands of hotpair-bench, one a file. Each adds itself to the command line; its callback
// runs when the user chose it and leaves the program's exit status (0 good, 1 failed).
#pragma once

#include <CLI/CLI.hpp>

namespace hotpair::bench {

void add_serve(CLI::App& app, int& exit_status);
void add_flows(CLI::App& app, int& exit_status);
void add_fill(CLI::App& app, int& exit_status);
void add_failover(CLI::App& app, int& exit_status);
void add_bulk(CLI::App& app, int& exit_status);
void add_connections(CLI::App& app, int& exit_status);
void add_kernel(CLI::App& app, int& exit_status);
void add_soak(CLI::App& app, int& exit_status);
void add_sync(CLI::App& app, int& exit_status);

}  // namespace hotpair::bench
