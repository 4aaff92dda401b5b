// hotpair-bench kernel: from one kernel's table to another's, by hotpair and by what it replaces.
#include <cstdio>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "tools/bench/commands.hpp"
#include "tools/bench/kernel/latency.hpp"
#include "tools/bench/kernel/packet_traffic.hpp"
#include "tools/bench/kernel/race.hpp"
#include "tools/bench/kernel/rivals.hpp"
#include "tools/bench/kernel/surroundings.hpp"

namespace hotpair::bench {
namespace {

using kernel::Latency;

struct Outcome : kernel::Outcome {
  Latency latency;
};

struct Given {
  kernel::Load load;
  kernel::HotpairSetup hotpair;
  std::string compare, json, maker = "packets";
  std::uint32_t latency_rate = 10'000;
  bool keep = false;
};

constexpr Duration kLatencyTime = 3s;

double us(Duration d) {
  return static_cast<double>(d.count()) / 1000;
}

// Boxes of its own for each, so that none finds what another left.
Result<Outcome> measure(const std::string& name, const Given& given, const std::string& scratch) {
  const auto boxes = kernel::TwoBoxes::make();
  if (!boxes.ok()) return fail(boxes.error());
  if (given.load.packets)
    if (Status prepared = kernel::PacketTraffic::prepare(*boxes, 0); !prepared.ok())
      return fail(prepared.error());
  auto replicator = name == "hotpair" ? kernel::start_hotpair(*boxes, scratch, given.hotpair)
                                      : kernel::start_conntrackd(*boxes, scratch);
  if (!replicator.ok()) return fail(replicator.error());
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  Outcome out;
  const kernel::LatencyLoad steady{
      .rate = given.latency_rate, .time = kLatencyTime, .first = given.load.sessions};
  auto outcome = kernel::race(*boxes, **replicator, given.load,
                              [&](std::uint64_t made, std::uint64_t arrived) {
                                if (terminal)
                                  std::fprintf(stderr, "\r%s: %llu made, %llu arrived ",
                                               name.c_str(), static_cast<unsigned long long>(made),
                                               static_cast<unsigned long long>(arrived));
                              });
  if (terminal) std::fputs("\n", stderr);
  if (!outcome.ok()) return fail(outcome.error());
  static_cast<kernel::Outcome&>(out) = *outcome;
  if (given.latency_rate == 0) return out;
  auto latency = kernel::measure_latency(*boxes, **replicator, steady);
  if (!latency.ok()) return fail(latency.error());
  out.latency = *latency;
  return out;
}

// Where both times are alike, what makes the sessions was the limit and not what carries them.
void print_row(const std::string& name, const Outcome& o) {
  std::printf("  %-12s %12.0f %10llu %10llu %10.2f %10.2f %12.2f %9.0f %9.0f\n", name.c_str(),
              o.rate(), static_cast<unsigned long long>(o.arrived),
              static_cast<unsigned long long>(o.missing()), o.making_seconds, o.seconds, o.cpu_us(),
              us(o.latency.times.percentile(50)), us(o.latency.times.percentile(99)));
}

nlohmann::json to_json(const Outcome& o) {
  return {{"sessions", o.sessions},
          {"arrived", o.arrived},
          {"missing", o.missing()},
          {"seconds", o.seconds},
          {"making_seconds", o.making_seconds},
          {"sessions_per_second", o.rate()},
          {"cpu_us_per_session", o.cpu_us()},
          {"latency",
           {{"sessions", o.latency.sessions},
            {"arrived", o.latency.times.count()},
            {"p50_us", us(o.latency.times.percentile(50))},
            {"p99_us", us(o.latency.times.percentile(99))}}}};
}

int measure_all(Given given) {
  given.load.packets = given.maker == "packets";
  const kernel::Scratch scratch(given.keep);
  const kernel::ConntrackRoom room(given.load.sessions + std::uint64_t{3} * given.latency_rate);
  return kernel::measure_rivals(
      {.command = "hotpair-bench kernel",
       .compare = given.compare,
       .json = given.json,
       .headings = "               sessions/s    arrived    missing  made in s there in s  "
                   "CPU us each    p50 us    p99 us\n"},
      [&](const std::string& name) { return measure(name, given, scratch.path()); }, print_row,
      to_json, [](const Outcome& hotpair) { return hotpair.missing() == 0; });
}

}  // namespace

void add_kernel(CLI::App& app, int& exit_status) {
  CLI::App* command = app.add_subcommand(
      "kernel", "Measures from kernel to kernel: sessions made in one box, awaited in another");
  static Given given;
  command->add_option("--sessions", given.load.sessions, "how many: TCP and UDP in turn")
      ->check(CLI::Range(64u, 16'000'000u))
      ->capture_default_str();
  command->add_option("--rate", given.load.rate, "new ones a second; 0: as fast as they are made")
      ->check(CLI::Range(0u, 10'000'000u))
      ->capture_default_str();
  command
      ->add_option("--latency-rate", given.latency_rate,
                   "then new ones a second, one by one, to see how long each takes; 0: not at all")
      ->check(CLI::Range(0u, 1'000'000u))
      ->capture_default_str();
  command->add_option("--compare", given.compare, "measure this one too, under the same load")
      ->check(CLI::IsMember({"conntrackd"}));
  command
      ->add_option("--maker", given.maker,
                   "of the sessions: packets that are tracked (IPv4), or ctnetlink")
      ->check(CLI::IsMember({"packets", "ctnetlink"}))
      ->capture_default_str();
  kernel::add_hotpair_options(*command, given.hotpair);
  command->add_option("--json", given.json, "write all figures here; - is standard output");
  command->add_flag("--keep", given.keep, "leave configurations and logs for a look");
  command->footer(
      "As root. Makes two network namespaces with a cable between them, and touches no other; the\n"
      "machine's nf_conntrack_max and nf_conntrack_buckets are raised meanwhile. Entries of a\n"
      "backup that listens to no events make none, as on a kernel of its own; but while it is\n"
      "looked how long each takes. The sessions are those of packets that are tracked, as a "
      "firewall's\n"
      "are: --maker ctnetlink makes assured ones of IPv6 too, but waits for the backup, since the\n"
      "kernel takes one ctnetlink request at a time in all namespaces. Exit status 0 when "
      "everything arrived by hotpair.\n"
      "Example: hotpair-bench kernel --sessions 100000 --compare conntrackd");
  command->callback([&exit_status] { exit_status = measure_all(given); });
}

}  // namespace hotpair::bench
