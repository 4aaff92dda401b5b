// hotpair-bench connections: what a whole short TCP connection costs those who carry sessions.
#include <cstdio>
#include <optional>

#include <nlohmann/json.hpp>

#include "tools/bench/commands.hpp"
#include "tools/bench/kernel/packet_traffic.hpp"
#include "tools/bench/kernel/race.hpp"
#include "tools/bench/kernel/rivals.hpp"
#include "tools/bench/kernel/short_connections.hpp"
#include "tools/bench/kernel/surroundings.hpp"

namespace hotpair::bench {
namespace {

struct Given {
  kernel::ConnectionLoad load;
  kernel::HotpairSetup hotpair;
  std::string compare, json;
  bool keep = false, assured = false;
};

// As the README has it for a ruleset.
constexpr const char* kFewerEvents =
    "table ip fewer { chain out { type filter hook output priority mangle; ct event set "
    "assured,destroy; }; }";

struct Outcome : kernel::ConnectionCosts {
  double alone_us = 0;  // of the traffic without anybody who listens
  double events_us() const { return traffic_us - alone_us; }
  double all_us() const { return end_us[0] + end_us[1] + events_us(); }
};

Result<Outcome> measure(const std::string& name, const Given& given, const std::string& scratch) {
  const auto boxes = kernel::TwoBoxes::make();
  if (!boxes.ok()) return fail(boxes.error());
  if (Status prepared = kernel::PacketTraffic::prepare(*boxes, 0); !prepared.ok())
    return fail(prepared.error());
  if (given.assured)
    if (Status fewer = boxes->run(0, {"nft", kFewerEvents}); !fewer.ok())
      return fail(fewer.error());
  const auto alone = kernel::traffic_alone(*boxes, given.load);
  if (!alone.ok()) return fail(alone.error());
  auto replicator = name == "hotpair" ? kernel::start_hotpair(*boxes, scratch, given.hotpair)
                                      : kernel::start_conntrackd(*boxes, scratch);
  if (!replicator.ok()) return fail(replicator.error());
  if (Status ready = kernel::await_ready(**replicator); !ready.ok()) return fail(ready.error());
  if (Status rested = kernel::rest(**replicator, 1s); !rested.ok()) return fail(rested.error());
  const auto costs = kernel::measure_connections(*boxes, **replicator, given.load);
  if (!costs.ok()) return fail(costs.error());
  Outcome out;
  static_cast<kernel::ConnectionCosts&>(out) = *costs;
  out.alone_us = *alone;
  return out;
}

void print_row(const std::string& name, const Outcome& o) {
  std::printf("  %-12s %9.2f %9.2f %9.2f %9.2f %9.1f %9.2f %9llu %9llu\n", name.c_str(),
              o.events_us(), o.end_us[0], o.end_us[1], o.all_us(), o.bytes, o.frames,
              static_cast<unsigned long long>(o.left[0]),
              static_cast<unsigned long long>(o.left[1]));
}

nlohmann::json to_json(const Outcome& o) {
  return {{"connections", o.connections},
          {"events_us", o.events_us()},
          {"primary_us", o.end_us[0]},
          {"backup_us", o.end_us[1]},
          {"all_us", o.all_us()},
          {"traffic_alone_us", o.alone_us},
          {"bytes", o.bytes},
          {"frames", o.frames},
          {"left_at_primary", o.left[0]},
          {"left_at_backup", o.left[1]}};
}

int measure_all(const Given& given) {
  const kernel::Scratch scratch(given.keep);
  const kernel::ConntrackRoom room(std::uint64_t{4} * given.load.rate);
  return kernel::measure_rivals(
      {.command = "hotpair-bench connections",
       .compare = given.compare,
       .json = given.json,
       .headings =
           "  CPU us of a connection:\n"
           "                  events   primary    backup  together     bytes    frames      "
           "left at backup\n"},
      [&](const std::string& name) { return measure(name, given, scratch.path()); }, print_row,
      to_json, [](const Outcome& hotpair) { return hotpair.left[0] == hotpair.left[1]; });
}

}  // namespace

void add_connections(CLI::App& app, int& exit_status) {
  CLI::App* command = app.add_subcommand(
      "connections", "Measures what a whole short TCP connection costs those who carry sessions");
  static Given given;
  command->add_option("--rate", given.load.rate, "connections a second")
      ->check(CLI::Range(100u, 100'000u))
      ->capture_default_str();
  command->add_option("--seconds", given.load.seconds, "how long, after two to warm up")
      ->check(CLI::Range(1u, 60u))
      ->capture_default_str();
  command->add_option("--compare", given.compare, "measure this one too, under the same load")
      ->check(CLI::IsMember({"conntrackd"}));
  kernel::add_hotpair_options(*command, given.hotpair);
  command->add_flag("--assured", given.assured,
                    "only assured sessions (session_pickup.from), and a rule by which the kernel "
                    "raises no event of a connection but that and its end");
  command->add_option("--json", given.json, "write all figures here; - is standard output");
  command->add_flag("--keep", given.keep, "leave configurations and logs for a look");
  command->footer(
      "As root, in network namespaces of its own, like 'hotpair-bench kernel'. Eight packets "
      "each,\n"
      "5 ms apart, cross the first box; a second after the last one the entry is taken out. That\n"
      "is seven events of the kernel's. 'events' is what the traffic costs more than before\n"
      "anybody listened. Exit status 0 when both kernels hold as many entries in the end.\n"
      "Example: hotpair-bench connections --compare conntrackd");
  command->callback([&exit_status] {
    if (given.assured) given.hotpair.from = "assured";
    exit_status = measure_all(given);
  });
}

}  // namespace hotpair::bench
