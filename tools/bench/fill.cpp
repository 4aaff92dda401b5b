// hotpair-bench fill: puts synthetic sessions into the kernel's table of the network namespace it
// runs in.
#include <cstdio>

#include <unistd.h>

#include "dataplane/conntrack/sink.hpp"
#include "platform/linux/clock.hpp"
#include "tools/bench/commands.hpp"
#include "tools/bench/synthetic_sessions.hpp"

namespace hotpair::bench {
namespace {

constexpr std::uint32_t kBatch = 512;
constexpr Duration kProgressInterval = 200ms;

struct FillArguments {
  std::uint32_t sessions = 100'000;
  std::uint32_t timeout_s = 86'400;
  bool remove = false;
};

class Progress {
 public:
  explicit Progress(std::uint32_t total) : total_(total), terminal_(isatty(STDERR_FILENO) == 1) {}
  void at(std::uint32_t done) {
    const Instant now = sys::now();
    if (!terminal_ || (done < total_ && now < next_)) return;
    next_ = now + kProgressInterval;
    std::fprintf(stderr, "\r%u of %u sessions%s", done, total_, done == total_ ? "\n" : "");
  }

 private:
  std::uint32_t total_;
  bool terminal_;
  Instant next_{};
};

// Entries that are there already are made what they should be, so filling twice is harmless.
Status fill(const FillArguments& given) {
  auto sink = conntrack::Sink::open();
  if (!sink) return fail(sink.error());
  const Instant began = sys::now();
  Progress progress(given.sessions);
  for (std::uint32_t number = 0; number < given.sessions; ++number) {
    const dataplane::Session session = synthetic_session(number, given.timeout_s);
    if (given.remove) {
      (*sink)->remove(session.key);
    } else {
      (*sink)->upsert(session, given.timeout_s, true);
    }
    if (number % kBatch == kBatch - 1) {
      (*sink)->flush();
      progress.at(number);
    }
  }
  (*sink)->flush();
  progress.at(given.sessions);
  const conntrack::SinkCounters& counters = (*sink)->counters();
  std::printf("{\"event\":\"%s\",\"sessions\":%u,\"failed\":%llu,\"seconds\":%.3f}\n",
              given.remove ? "removed" : "filled", given.sessions,
              static_cast<unsigned long long>(counters.failed), to_seconds(sys::now() - began));
  if (counters.table_full > 0)
    return fail_with(
        "the kernel's table is full; raise it: sysctl -w net.netfilter.nf_conntrack_max=" +
        std::to_string(given.sessions + given.sessions / 4 + 10'000));
  if (counters.failed > 0) return fail_with("the kernel refused some of the sessions");
  return Ok{};
}

}  // namespace

void add_fill(CLI::App& app, int& exit_status) {
  CLI::App* command = app.add_subcommand(
      "fill", "Puts sessions into this kernel's connection table, as if traffic had");
  static FillArguments given;
  command->add_option("--sessions", given.sessions, "how many: TCP and UDP, IPv4 and IPv6 in turn")
      ->check(CLI::Range(1u, kMostSyntheticSessions))
      ->capture_default_str();
  command->add_option("--timeout", given.timeout_s, "seconds each stays without traffic")
      ->check(CLI::Range(1u, 432'000u))
      ->capture_default_str();
  command->add_flag("--remove", given.remove, "take the same sessions out again");
  command->footer(
      "Run it as root on the primary. The sessions use addresses reserved for benchmarks and "
      "documentation\n"
      "(100.64.0.0/10 to 198.18.0.0/15, 2001:db8:c000::/48 to 2001:db8:5000::/48).\n"
      "Example: hotpair-bench fill --sessions 500000\n"
      "         hotpair-bench fill --sessions 500000 --remove");
  command->callback([&exit_status] {
    const Status done = fill(given);
    if (!done) std::fprintf(stderr, "hotpair-bench fill: %s\n", done.error().message.c_str());
    exit_status = done ? 0 : 1;
  });
}

}  // namespace hotpair::bench
