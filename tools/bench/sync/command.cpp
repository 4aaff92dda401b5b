// hotpair-bench sync: how fast sessions get from one table to another.
#include <cstdio>
#include <fstream>

#include "tools/bench/commands.hpp"
#include "tools/bench/sync/report.hpp"
#include "tools/bench/sync/runner.hpp"

namespace hotpair::bench {

namespace {

using sync::Options;

struct Given {
  Options options;
  std::string mix = "10:80:10", role = "both";
  bool unsealed = false, no_pin = false;
  unsigned most_seconds = 300;
};

std::string read_mix(const std::string& text, sync::Mix& mix) {
  unsigned c = 0, u = 0, d = 0;
  char rest = 0;
  const int fields = std::sscanf(text.c_str(), "%3u:%3u:%3u%c", &c, &u, &d, &rest);
  if (fields != 3 || c + u + d != 100)
    return "is " + text + "; it must be CREATES:UPDATES:DELETES, percentages whose sum is 100";
  mix = {c, u, d};
  return "";
}

std::string read_phases(const std::string& text) {
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    const std::string name = text.substr(at, end - at);
    if (name != "create" && name != "update" && name != "mix" && name != "delete")
      return "has '" + name + "'; there are create, update, mix and delete";
    at = end + 1;
  }
  return "";
}

bool write(const std::string& path, const std::string& text) {
  if (path == "-") return std::fputs(text.c_str(), stdout) >= 0;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) std::fprintf(stderr, "hotpair-bench sync: cannot write %s\n", path.c_str());
  return bool(file);
}

int measure(Given& given) {
  Options& options = given.options;
  options.sealed = !given.unsealed;
  options.pin = !given.no_pin;
  options.most_time = std::chrono::seconds(given.most_seconds);
  options.ends = given.role == "both"      ? sync::Ends::both
                 : given.role == "primary" ? sync::Ends::primary
                                           : sync::Ends::backup;
  if (options.ends != sync::Ends::both && options.device.empty()) {
    std::fputs("hotpair-bench sync: --role needs --device\n", stderr);
    return 2;
  }
  if (options.ends == sync::Ends::both && options.device.empty() != options.peer_device.empty()) {
    std::fputs("hotpair-bench sync: both ends here need --device and --peer-device\n", stderr);
    return 2;
  }
  const auto result = sync::run(options);
  if (!result.ok()) {
    std::fprintf(stderr, "hotpair-bench sync: %s\n", result.error().message.c_str());
    return 1;
  }
  if (options.json != "-") std::fputs(sync::to_table(options, *result).c_str(), stdout);
  bool written = true;
  if (!options.json.empty()) written &= write(options.json, sync::to_json(options, *result) + "\n");
  if (!options.html.empty()) written &= write(options.html, sync::to_html(options, *result));
  return written && result->failure.empty() ? 0 : 1;
}

void add_load_options(CLI::App& command, Given& given) {
  Options& o = given.options;
  command.add_option("--sessions", o.sessions, "sessions in the table")
      ->check(CLI::Range(1u, 14'000'000u))
      ->capture_default_str();
  command.add_option("--phases", o.phases, "create, update, mix and delete, in any order")
      ->check(CLI::Validator([](std::string& text) { return read_phases(text); }, "LIST"))
      ->capture_default_str();
  command.add_option("--deltas", o.deltas, "of the phases update and mix (default: as sessions)")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 40));
  command.add_option("--mix", given.mix, "CREATES:UPDATES:DELETES of the phase mix, percentages")
      ->check(CLI::Validator(
          [&given](std::string& text) { return read_mix(text, given.options.mix); }, "C:U:D"))
      ->capture_default_str();
  command.add_option("--rate", o.rate, "deltas a second (default: as fast as they are taken)")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1'000'000'000}));
  command.add_option("--ipv6", o.ipv6_percent, "percentage of sessions over IPv6")
      ->check(CLI::Range(0u, 100u));
  command.add_option("--nat", o.nat_percent, "percentage of sessions with source NAT")
      ->check(CLI::Range(0u, 100u));
  command.add_option("--seed", o.seed, "of the load and the faults")->capture_default_str();
}

void add_path_options(CLI::App& command, Given& given) {
  Options& o = given.options;
  command.add_option("--loss", o.loss_percent, "percentage of frames lost (rings)")
      ->check(CLI::Range(0.0, 50.0));
  command.add_option("--reorder", o.reorder_percent, "percentage of frames overtaken (rings)")
      ->check(CLI::Range(0.0, 50.0));
  command.add_option("--frame", o.frame, "bytes of the largest frame (rings)")
      ->check(CLI::Range(1300u, 9014u))
      ->capture_default_str();
  command.add_option("--credit", o.credit, "frames under way at most")
      ->check(CLI::Range(1u, 1024u))
      ->capture_default_str();
  command.add_flag("--unsealed", given.unsealed, "without AES-256-GCM, to see what it costs");
  command.add_option("--device", o.device, "a DPDK device, as in node.yaml's session_sync");
  command.add_option("--peer-device", o.peer_device, "the other end's, when both run here");
  command.add_option("--role", given.role, "which end this process is: both, primary or backup")
      ->check(CLI::IsMember({"both", "primary", "backup"}))
      ->capture_default_str();
  command.add_flag("--no-pin", given.no_pin, "leave the choice of CPUs to the kernel");
  command.add_option("--most-seconds", given.most_seconds, "end after this time whatever happens")
      ->check(CLI::Range(1u, 86'400u))
      ->capture_default_str();
}

}  // namespace

void add_sync(CLI::App& app, int& exit_status) {
  CLI::App* command = app.add_subcommand(
      "sync", "Measures session sync itself: from one table to another, sealed, proven equal");
  static Given given;
  add_load_options(*command, given);
  add_path_options(*command, given);
  command->add_option("--json", given.options.json, "write all figures here; - is standard output");
  command->add_option("--html", given.options.html, "write a report with plots here");
  command->footer(
      "Touches no kernel table. Examples:\n"
      "  hotpair-bench sync --sessions 10000000 --html sync.html\n"
      "  hotpair-bench sync --device net_af_packet0,iface=ve0 --peer-device "
      "net_af_packet1,iface=ve1\n"
      "  hotpair-bench sync --role backup --device 0000:3b:00.1       (and primary on the other "
      "box)");
  command->callback([&exit_status] { exit_status = measure(given); });
}

}  // namespace hotpair::bench
