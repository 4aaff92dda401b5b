// hotpair-bench soak: minutes or hours of churn and faults, and then both kernels compared.
#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "platform/base/rng.hpp"
#include "platform/linux/clock.hpp"
#include "tools/bench/commands.hpp"
#include "tools/bench/kernel/churn.hpp"
#include "tools/bench/kernel/comparison.hpp"
#include "tools/bench/kernel/hotpair_pair.hpp"
#include "tools/bench/kernel/race.hpp"
#include "tools/bench/kernel/surroundings.hpp"

namespace hotpair::bench {
namespace {

constexpr Duration kInSyncAtMost = 60s;
constexpr Duration kLossLasts = 5s;

struct Given {
  kernel::Churn::Load load;
  double minutes = 1;
  unsigned loss_percent = 5, fault_every_s = 10;
  kernel::HotpairSetup hotpair;
  std::string json;
  bool keep = false;
};

enum class Fault : std::uint8_t { kill_primary, kill_backup, pull_cable, lose_frames };
constexpr std::array<const char*, 4> kFaults = {"data plane of the primary killed",
                                                "data plane of the backup killed", "cable pulled",
                                                "frames lost"};

struct Outcome {
  std::uint64_t changes = 0;
  std::array<std::uint64_t, 4> faults{};
  std::array<Duration, 4> longest{};  // until proven equal again, the fault itself included
  kernel::Comparison end;
};

class Soak {
 public:
  Soak(const Given& given, const kernel::TwoBoxes& boxes, const std::string& scratch)
      : given_(given), boxes_(boxes), pair_(boxes, scratch, given.hotpair), rng_(given.load.seed) {}

  Result<Outcome> run() {
    for (const int box : {0, 1})
      if (Status started = pair_.start(box); !started.ok()) return fail(started.error());
    if (Status formed = await_in_sync(); !formed.ok()) return fail(formed.error());
    kernel::Churn churn(boxes_, given_.load);
    const Instant began = sys::now();
    while (to_seconds(sys::now() - began) < 60 * given_.minutes) {
      Status went = kernel::rest(pair_, Duration(1s) * given_.fault_every_s);
      if (went.ok()) went = next_fault();
      if (!went.ok()) return fail(went.error());
      tell(churn, began);
    }
    out_.changes = churn.changes();
    if (Status churned = churn.end(); !churned.ok()) return fail(churned.error());
    return settle();
  }

 private:
  void tell(const kernel::Churn& churn, Instant began) const {
    if (::isatty(STDERR_FILENO) != 1) return;
    std::uint64_t faults = 0;
    for (const std::uint64_t n : out_.faults) faults += n;
    std::fprintf(stderr, "\r%.0f s, %llu changes, %llu faults ", to_seconds(sys::now() - began),
                 static_cast<unsigned long long>(churn.changes()),
                 static_cast<unsigned long long>(faults));
  }

  Status await_in_sync() {
    for (const Instant until = sys::now() + kInSyncAtMost; sys::now() < until;) {
      if (Status working = kernel::rest(pair_, 20ms); !working.ok()) return working;
      if (pair_.ready()) return Ok{};
    }
    return fail_with("the tables were not proven equal within a minute");
  }

  Status next_fault() {
    const auto fault = static_cast<Fault>(rng_.below(kFaults.size()));
    const auto place = static_cast<std::size_t>(fault);
    const Instant began = sys::now();
    if (Status done = commit(fault); !done.ok()) return done;
    if (Status synced = await_in_sync(); !synced.ok())
      return fail_with(std::string("after '") + kFaults[place] + "': " + synced.error().message);
    ++out_.faults[place];
    out_.longest[place] = std::max(out_.longest[place], sys::now() - began);
    return Ok{};
  }

  Status commit(Fault fault) {
    switch (fault) {
      case Fault::kill_primary:
        return pair_.kill_and_restart(0);
      case Fault::kill_backup:
        return pair_.kill_and_restart(1);
      case Fault::pull_cable:
        return for_a_while({"ip", "link", "set", kernel::TwoBoxes::kDevice, "down"},
                           {"ip", "link", "set", kernel::TwoBoxes::kDevice, "up"},
                           Duration(1ms) * static_cast<int>(100 + rng_.below(3000)), {0});
      case Fault::lose_frames:
        return for_a_while(
            {"nft", "table netdev soak { chain out { type filter hook egress device " +
                        std::string(kernel::TwoBoxes::kDevice) +
                        " priority 0; numgen random mod 100 < " +
                        std::to_string(given_.loss_percent) + " drop; }; }"},
            {"nft", "delete table netdev soak"}, kLossLasts, {0, 1});
    }
    return Ok{};
  }

  Status for_a_while(const std::vector<std::string>& begin, const std::vector<std::string>& end,
                     Duration time, const std::vector<int>& where) {
    for (const int box : where)
      if (Status begun = boxes_.run(box, begin); !begun.ok()) return begun;
    if (Status rested = kernel::rest(pair_, time); !rested.ok()) return rested;
    for (const int box : where)
      if (Status ended = boxes_.run(box, end); !ended.ok()) return ended;
    return Ok{};
  }

  // Nothing changes any more: what is not equal soon is never.
  Result<Outcome> settle() {
    for (const Instant until = sys::now() + kInSyncAtMost; sys::now() < until;) {
      if (Status rested = kernel::rest(pair_, 1s); !rested.ok()) return fail(rested.error());
      if (!pair_.ready()) continue;
      const auto compared = kernel::compare_kernels(boxes_);
      if (!compared.ok()) return fail(compared.error());
      out_.end = *compared;
      if (out_.end.equal()) break;
    }
    return out_;
  }

  const Given& given_;
  const kernel::TwoBoxes& boxes_;
  kernel::HotpairPair pair_;
  Rng rng_;
  Outcome out_;
};

nlohmann::json to_json(const Outcome& o) {
  nlohmann::json faults;
  for (std::size_t i = 0; i < kFaults.size(); ++i)
    faults[kFaults[i]] = {{"times", o.faults[i]},
                          {"longest_until_equal_s", to_seconds(o.longest[i])}};
  return {{"changes", o.changes},         {"faults", faults},
          {"sessions", o.end.first},      {"missing", o.end.missing},
          {"left_over", o.end.left_over}, {"different", o.end.different}};
}

void print(const Outcome& o) {
  std::printf("  %llu changes in the primary's kernel\n",
              static_cast<unsigned long long>(o.changes));
  for (std::size_t i = 0; i < kFaults.size(); ++i)
    std::printf("  %-34s %4llu times, proven equal again within %.1f s\n", kFaults[i],
                static_cast<unsigned long long>(o.faults[i]), to_seconds(o.longest[i]));
  std::printf("  at the end %llu sessions; missing %llu, left over %llu, different %llu\n",
              static_cast<unsigned long long>(o.end.first),
              static_cast<unsigned long long>(o.end.missing),
              static_cast<unsigned long long>(o.end.left_over),
              static_cast<unsigned long long>(o.end.different));
}

int measure(const Given& given) {
  const kernel::Scratch scratch(given.keep);
  const kernel::ConntrackRoom room(given.load.sessions);
  const auto boxes = kernel::TwoBoxes::make();
  auto outcome =
      boxes.ok() ? Soak(given, *boxes, scratch.path()).run() : Result<Outcome>(fail(boxes.error()));
  if (::isatty(STDERR_FILENO) == 1) std::fputs("\n", stderr);
  if (!outcome.ok()) {
    std::fprintf(stderr, "hotpair-bench soak: %s\n", outcome.error().message.c_str());
    return 1;
  }
  if (given.json != "-") print(*outcome);
  return kernel::write_report(given.json, to_json(*outcome).dump(1)) && outcome->end.equal() ? 0
                                                                                             : 1;
}

}  // namespace

void add_soak(CLI::App& app, int& exit_status) {
  CLI::App* command = app.add_subcommand(
      "soak", "Churn and faults for as long as wanted; then both kernels, compared entry by entry");
  static Given given;
  given.hotpair.one_kernel = true;
  command->add_option("--minutes", given.minutes, "how long")
      ->check(CLI::Range(0.1, 100'000.0))
      ->capture_default_str();
  command->add_option("--sessions", given.load.sessions, "at most; about two thirds live at once")
      ->check(CLI::Range(64u, 4'000'000u))
      ->capture_default_str();
  command->add_option("--rate", given.load.rate, "changes a second in the primary's kernel")
      ->check(CLI::Range(64u, 1'000'000u))
      ->capture_default_str();
  command->add_option("--fault-every", given.fault_every_s, "seconds of peace between two faults")
      ->check(CLI::Range(1u, 3600u))
      ->capture_default_str();
  command->add_option("--loss", given.loss_percent, "percentage of frames, while they are lost")
      ->check(CLI::Range(1u, 50u))
      ->capture_default_str();
  command->add_option("--seed", given.load.seed, "of churn and faults")->capture_default_str();
  kernel::add_hotpair_options(*command, given.hotpair);
  command->add_option("--json", given.json, "write all figures here; - is standard output");
  command->add_flag("--keep", given.keep, "leave configurations and logs for a look");
  command->footer(
      "As root, in network namespaces of its own, like 'hotpair-bench kernel'. The faults: either\n"
      "data plane killed, the cable pulled, frames lost (by nftables). Exit status 0 when in the "
      "end\n"
      "the backup's kernel holds what the primary's holds, and nothing else.\n"
      "Example: hotpair-bench soak --minutes 30");
  command->callback([&exit_status] { exit_status = measure(given); });
}

}  // namespace hotpair::bench
