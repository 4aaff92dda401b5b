// hotpair-bench failover: a power loss in an embedded network, at a table size. The network is the
// lab of tests/netns, which is installed beside the programs; this finds and runs it.
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <unistd.h>

#include "tools/bench/commands.hpp"

namespace hotpair::bench {
namespace {

namespace fs = std::filesystem;

struct Given {
  std::uint32_t sessions = 0;
  double keepalived_interval = 0.01;
  std::string compare, json;
};

struct Place {
  std::string script, build;  // build: empty when it is installed
};

Place find_lab() {
  std::error_code unknown;
  const fs::path own = fs::read_symlink("/proc/self/exe", unknown).parent_path();
  const fs::path installed = own / "../share/hotpair/lab/failover.py";
  if (fs::exists(installed)) return {fs::canonical(installed).string(), ""};
  const fs::path source = own / "../../../../tests/netns/failover.py";
  if (fs::exists(source))
    return {fs::canonical(source).string(), fs::canonical(own / "../..").string()};
  return {};
}

int measure(const Given& given) {
  const Place lab = find_lab();
  if (lab.script.empty()) {
    std::fputs("hotpair-bench failover: its network (share/hotpair/lab) is not installed\n",
               stderr);
    return 1;
  }
  std::vector<std::string> words = {"python3",
                                    "-B",
                                    lab.script,
                                    "--sessions",
                                    std::to_string(given.sessions),
                                    "--keepalived-interval",
                                    std::to_string(given.keepalived_interval)};
  const auto add = [&words](const char* option, const std::string& value) {
    if (value.empty()) return;
    words.emplace_back(option);
    words.push_back(value);
  };
  add("--build", lab.build);
  add("--compare", given.compare);
  add("--json", given.json);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execvp(arguments.front(), arguments.data());
  std::fputs("hotpair-bench failover: python3 is not installed: apt-get install python3\n", stderr);
  return 1;
}

}  // namespace

void add_failover(CLI::App& app, int& exit_status) {
  CLI::App* command = app.add_subcommand(
      "failover", "Measures a power loss at a table size, in an embedded network on this machine");
  static Given given;
  command->add_option("--sessions", given.sessions, "other sessions in the table")
      ->check(CLI::Range(0u, 4'000'000u))
      ->capture_default_str();
  command
      ->add_option("--compare", given.compare,
                   "measure this one too, with conntrackd, in the same network")
      ->check(CLI::IsMember({"keepalived"}));
  command
      ->add_option("--keepalived-interval", given.keepalived_interval,
                   "seconds between its advertisements; 1 is its default, 0.01 its least")
      ->check(CLI::Range(0.01, 40.95))
      ->capture_default_str();
  command->add_option("--json", given.json, "write all figures here; - is standard output");
  command->footer(
      "As root. Two firewalls with strict rules, a client and a server in network namespaces: 200\n"
      "TCP connections and a datagram each millisecond over IPv4 and IPv6 cross the primary while\n"
      "its power is taken. Exit status 0 when every connection survived with hotpair.\n"
      "Example: hotpair-bench failover --sessions 500000 --compare keepalived");
  command->callback([&exit_status] { exit_status = measure(given); });
}

}  // namespace hotpair::bench
