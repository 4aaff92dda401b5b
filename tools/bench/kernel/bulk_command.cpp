// hotpair-bench bulk: how long a backup that has nothing takes until its kernel holds every
// session.
#include <cstdio>
#include <optional>
#include <thread>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "platform/linux/clock.hpp"
#include "platform/linux/scheduling.hpp"
#include "tools/bench/commands.hpp"
#include "tools/bench/kernel/hotpair_pair.hpp"
#include "tools/bench/kernel/packet_traffic.hpp"
#include "tools/bench/kernel/race.hpp"
#include "tools/bench/kernel/surroundings.hpp"

namespace hotpair::bench {
namespace {

constexpr Duration kStep = 2ms;
constexpr Duration kPatience = 120s;
constexpr Duration kTrafficAlone = 3s;

struct Given {
  kernel::Load load;
  kernel::HotpairSetup hotpair;
  std::string json;
  bool keep = false, meanwhile = false;
};

struct Outcome {
  double first_seconds = 0;  // until the first session is there: the program starts, the ends meet
  double seconds = 0;        // until all are there
  double in_sync_seconds = 0;  // until that is proven
  double cpu_seconds = 0;      // both data planes
  // New sessions a second at the primary: while there is no backup, and while it is filled.
  double rate_before = 0, rate_meanwhile = 0;
};

// Sessions that go on beginning at the primary, made by one CPU: the one that its data plane has.
class Traffic {
 public:
  explicit Traffic(const kernel::TwoBoxes& boxes)
      : maker_(boxes, {.sessions = kMost, .packets = true, .cpu = sys::last_of_several_cpus()}) {}
  // Since it was asked last.
  double rate() {
    const Instant now = sys::now();
    const std::uint32_t made = maker_.made();
    const double out = (made - made_) / to_seconds(now - asked_);
    made_ = made;
    asked_ = now;
    return out;
  }
  Status end() {
    maker_.stop();
    return maker_.join();
  }
  static constexpr std::uint32_t kMost = 4'000'000;

 private:
  kernel::Maker maker_;
  Instant asked_ = sys::now();
  std::uint32_t made_ = 0;
};

// The primary's data plane knows all that was made in its kernel.
Status fill(const kernel::TwoBoxes& boxes, kernel::HotpairPair& pair, const kernel::Load& load) {
  if (Status rested = kernel::rest(pair, 1s); !rested.ok()) return rested;
  kernel::Maker maker(boxes, load);
  const Instant until = sys::now() + kPatience;
  while (pair.sessions() < load.sessions) {
    if (Status working = pair.work(); !working.ok()) return working;
    if (maker.done())
      if (Status made = maker.join(); !made.ok()) return made;
    if (sys::now() > until) return fail_with("the primary's data plane never knew all sessions");
    std::this_thread::sleep_for(kStep);
  }
  return maker.join();
}

Result<Outcome> measure(const Given& given, const std::string& scratch) {
  const auto boxes = kernel::TwoBoxes::make();
  if (!boxes.ok()) return fail(boxes.error());
  kernel::HotpairPair pair(*boxes, scratch, given.hotpair);
  if (Status started = pair.start(0); !started.ok()) return fail(started.error());
  if (Status filled = fill(*boxes, pair, given.load); !filled.ok()) return fail(filled.error());
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  Outcome out;
  std::optional<Traffic> traffic;
  if (given.meanwhile) {
    if (Status prepared = kernel::PacketTraffic::prepare(*boxes, 0); !prepared.ok())
      return fail(prepared.error());
    traffic.emplace(*boxes);
    if (Status rested = kernel::rest(pair, kTrafficAlone); !rested.ok())
      return fail(rested.error());
    out.rate_before = traffic->rate();
  }
  const double cpu_before = pair.cpu_seconds();
  const Instant began = sys::now();
  if (Status started = pair.start(1); !started.ok()) return fail(started.error());
  while (out.seconds == 0 || !pair.ready()) {
    if (Status working = pair.work(); !working.ok()) return fail(working.error());
    const std::uint64_t there = boxes->tracked(1);
    const double passed = to_seconds(sys::now() - began);
    if (there > 0 && out.first_seconds == 0) out.first_seconds = passed;
    // What goes on beginning is always a little behind.
    const std::uint64_t all = traffic ? boxes->tracked(0) / 100 * 99 : given.load.sessions;
    if (there >= all && out.seconds == 0) {
      out.seconds = passed;
      if (traffic) out.rate_meanwhile = traffic->rate();
      if (traffic)
        if (Status ended = traffic->end(); !ended.ok()) return fail(ended.error());
    }
    if (passed > to_seconds(kPatience)) return fail_with("the backup never had all sessions");
    if (terminal)
      std::fprintf(stderr, "\r%llu of %u at the backup ", static_cast<unsigned long long>(there),
                   given.load.sessions);
    std::this_thread::sleep_for(kStep);
  }
  out.in_sync_seconds = to_seconds(sys::now() - began);
  out.cpu_seconds = pair.cpu_seconds() - cpu_before;
  if (terminal) std::fputs("\n", stderr);
  return out;
}

int report(const Given& given, const Outcome& out) {
  const double rate = given.load.sessions / (out.seconds - out.first_seconds);
  if (given.json != "-")
    std::printf(
        "  %u sessions into a fresh backup's kernel\n"
        "  the first after        %8.2f s\n"
        "  all after              %8.2f s  (%.0f a second)\n"
        "  proven equal after     %8.2f s\n"
        "  CPU of both ends       %8.2f us a session\n",
        given.load.sessions, out.first_seconds, out.seconds, rate, out.in_sync_seconds,
        out.cpu_seconds * 1e6 / given.load.sessions);
  if (given.json != "-" && given.meanwhile)
    std::printf("  new sessions meanwhile %8.0f a second, of %.0f before: %+.0f %%\n",
                out.rate_meanwhile, out.rate_before,
                100 * (out.rate_meanwhile / out.rate_before - 1));
  nlohmann::json json = {{"sessions", given.load.sessions},
                         {"first_seconds", out.first_seconds},
                         {"seconds", out.seconds},
                         {"in_sync_seconds", out.in_sync_seconds},
                         {"cpu_us_per_session", out.cpu_seconds * 1e6 / given.load.sessions}};
  if (given.meanwhile) {
    json["new_a_second_before"] = out.rate_before;
    json["new_a_second_meanwhile"] = out.rate_meanwhile;
  }
  return kernel::write_report(given.json, json.dump(1)) ? 0 : 1;
}

int measure_and_report(const Given& given) {
  const kernel::Scratch scratch(given.keep);
  const kernel::ConntrackRoom room(given.load.sessions + (given.meanwhile ? Traffic::kMost : 0));
  const auto outcome = measure(given, scratch.path());
  if (outcome.ok()) return report(given, *outcome);
  std::fprintf(stderr, "hotpair-bench bulk: %s\n", outcome.error().message.c_str());
  return 1;
}

}  // namespace

void add_bulk(CLI::App& app, int& exit_status) {
  CLI::App* command = app.add_subcommand(
      "bulk", "Measures how long a fresh backup takes until its kernel holds every session");
  static Given given;
  given.load.sessions = 100'000;
  command->add_option("--sessions", given.load.sessions, "in the primary's table")
      ->check(CLI::Range(64u, 16'000'000u))
      ->capture_default_str();
  kernel::add_hotpair_options(*command, given.hotpair);
  command->add_flag(
      "--meanwhile", given.meanwhile,
      "let sessions go on beginning at the primary, by its data plane's CPU, and tell "
      "how many do");
  command->add_option("--json", given.json, "write all figures here; - is standard output");
  command->add_flag("--keep", given.keep, "leave configurations and logs for a look");
  command->footer(
      "As root, in network namespaces of its own, like 'hotpair-bench kernel'.\n"
      "Example: hotpair-bench bulk --sessions 1000000");
  command->callback([&exit_status] { exit_status = measure_and_report(given); });
}

}  // namespace hotpair::bench
