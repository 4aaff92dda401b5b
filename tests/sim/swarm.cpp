#include "tests/sim/swarm_run.hpp"

namespace hotpair::simulation {
using namespace agent;

namespace {

// A reservation that is written as slowly as this may not be there at the next takeover.
constexpr Duration kPersistFast = 50ms;

}  // namespace

void Swarm::configure() {
  set_times();
  const bool override_ = rng_.chance(1, 3), pickup = rng_.chance(2, 3);
  const Duration hold = rng_.chance(1, 4) ? up_to(4s) : Duration{};
  const auto tolerance = static_cast<std::uint8_t>(rng_.below(2));
  const bool with_lag = rng_.chance(1, 2), partitioned = rng_.chance(1, 4);
  const Duration margin = rng_.chance(1, 2) ? Duration(300s) : up_to(5s);
  for (int chassis : {1, 2}) {
    NodeConfig& config = world_.box(chassis).config;
    config.override_ = override_;
    config.session_pickup = pickup;
    config.hold = hold;
    config.board_failover_tolerance = tolerance;
    config.uptime_margin = margin;
    config.priority = static_cast<std::uint32_t>(100 + rng_.below(3));
  }
  for (int chassis : {1, 2}) {
    auto& interfaces = world_.box(chassis).config.data_interfaces;
    interfaces[1].lag = with_lag;
    if (partitioned) interfaces[0].logical_system = "tenant-a";
  }
  if (rng_.chance(1, 2)) watch_targets();
  if (rng_.chance(1, 4)) set_split_brain();
  if (rng_.chance(1, 4)) any_box().next_version = true;
  if (rng_.chance(1, 3))
    for (int chassis : {1, 2}) world_.box(chassis).config.protocol = any_protocol();
  // Rules that differ must not end in a pair without a primary either.
  if (rng_.chance(1, 10)) {
    NodeConfig& config = any_box().config;
    config.override_ = !config.override_;
    config.cluster_digest = 1;
    world_.note(Fact::other_files);
  }
  choose_paths();
  set_clocks();
}

// This version, one that speaks the next as well, and one that has forgotten this.
ProtocolRange Swarm::any_protocol() {
  static constexpr std::array<ProtocolRange, 3> kRanges{{{1, 1}, {1, 2}, {2, 2}}};
  return kRanges[rng_.below(kRanges.size())];
}

void Swarm::choose_paths() {
  if (rng_.chance(1, 3)) {
    for (int chassis : {1, 2})
      world_.box(chassis).config.paths[kManagementPath] = {true, PathConfig::Kind::management,
                                                           "management"};
    paths_.push_back(kManagementPath);
  }
  if (!rng_.chance(1, 3)) return;
  const PathId gone = any_path();
  for (int chassis : {1, 2}) world_.box(chassis).config.paths[gone].configured = false;
}

// Each box was booted at another time, and its clock runs as quartz does, or far worse.
void Swarm::set_clocks() {
  const Instant now = world_.timeline.now();
  world_.box(2).clock.leap(now, up_to(2000s));
  if (rng_.chance(1, 3)) return;
  const std::uint64_t most = rng_.chance(1, 4) ? 40'000 : 300;
  for (int chassis : {1, 2})
    world_.box(chassis).clock.drift(
        now, static_cast<std::int64_t>(rng_.below(2 * most + 1)) - static_cast<std::int64_t>(most));
  world_.note(Fact::clock_drifts);
}

void Swarm::watch_targets() {
  const auto weight = static_cast<std::uint8_t>(rng_.below(3) * 50);
  for (int chassis : {1, 2})
    for (const char* address : {"192.0.2.1", "192.0.2.2"})
      world_.box(chassis).config.remote_monitors.push_back({address, weight});
}

void Swarm::set_split_brain() {
  const auto policy = rng_.chance(1, 2) ? SplitBrain::stay : SplitBrain::witness;
  for (int chassis : {1, 2}) {
    world_.box(chassis).config.split_brain = policy;
    world_.box(chassis).config.witness = "192.0.2.7";
  }
}

void Swarm::set_times() {
  static constexpr std::array<Duration, 4> kIntervals{5ms, 10ms, 50ms, 100ms};
  // The shorter, the more there is to simulate and the less happens in it: longer ones get more of
  // the runs, so that each gets a like share of the time they take.
  static constexpr std::array<std::uint64_t, kIntervals.size()> kShares{1, 5, 24, 34};
  std::uint64_t drawn = rng_.below(64);
  std::size_t which = 0;
  while (drawn >= kShares[which]) drawn -= kShares[which++];
  const Duration interval = kIntervals[which];
  const int threshold = static_cast<int>(3 + rng_.below(4));
  const Duration holddown = rng_.chance(1, 8) ? Duration{} : up_to(2s);
  for (int chassis : {1, 2}) {
    NodeConfig& config = world_.box(chassis).config;
    config.interval = interval;
    config.lost_threshold = threshold;
    config.hello_holddown = holddown;
  }
}

void Swarm::set_faults() {
  for (int chassis : {1, 2}) {
    Faults& faults = world_.box(chassis).faults;
    for (Fault* fault :
         {&faults.persist, &faults.claim, &faults.withdraw, &faults.dataplane, &faults.drain}) {
      if (rng_.chance(1, 8)) fault->took = up_to(300ms);
      // Planned moves, which alone drain, are rare.
      if (rng_.chance(1, fault == &faults.drain ? 2 : 8))
        fault->fail_permille = static_cast<unsigned>(rng_.below(500));
      if (rng_.chance(1, 10)) fault->silent_permille = static_cast<unsigned>(rng_.below(300));
      if (fault == &faults.persist && (fault->fail_permille != 0 || fault->silent_permille != 0))
        world_.checkers.disk_is_reliable = false;
      if (fault == &faults.persist && fault->took > kPersistFast)
        world_.checkers.disk_is_reliable = false;
      if (fault == &faults.withdraw && (fault->fail_permille != 0 || fault->silent_permille != 0))
        world_.checkers.withdraw_is_reliable = false;
      if (!world_.checkers.withdraw_is_reliable)
        world_.checkers.both_hold_bound = 60s;  // an address that stays is retried, and reported
    }
  }
  const std::uint64_t of_four = 2 + rng_.below(2);
  for (Kind& kind : kinds_) kind.enabled = rng_.chance(of_four, 4);
  // Much follows from one strike only while the next is not there yet, and much from two at once.
  if (rng_.chance(1, 2)) pace_ = 4;
  calm_ = 30ms + up_to(rng_.chance(1, 8) ? 8s : rng_.chance(1, 2) ? 1s : 300ms);
  disturbed_for_ = 4s + up_to(76s);
}

RunResult Swarm::run() {
  configure();
  set_faults();
  const NodeConfig& config = world_.box(1).config;
  world_.checkers.both_hold_bound += 500ms + 6 * config.detection_time();
  world_.checkers.rules_may_differ = config.override_ != world_.box(2).config.override_;
  for (int chassis : {1, 2}) {
    Box& box = world_.box(chassis);
    later(up_to(3s), [&box] {
      box.start_agent();
      box.start_dataplane();
    });
  }
  disturb();
  world_.run(disturbed_for_);
  heal();
  world_.run(quiet_time());
  world_.checkers.must_be_settled();
  return {world_.checkers.violation(), world_.take_story(), world_.facts, world_.checkers.takeovers,
          world_.checkers.longest_takeover};
}

// Time for every hold-down and impasse to pass.
Duration Swarm::quiet_time() const {
  return 12s;
}

void Swarm::disturb() {
  later(up_to(calm_), [this] {
    if (healing_) return;
    const Kind& kind = kinds_[rng_.below(kinds_.size())];
    if (kind.enabled) (this->*kind.strike)();
    disturb();
  });
}

void Swarm::heal() {
  healing_ = true;
  say("everything is mended");
  for (int chassis : {1, 2}) {
    Box& box = world_.box(chassis);
    box.faults = Faults{};
    box.links_down.clear();
    for (PathId path = 0; path < kMaxPaths; ++path)
      world_.network.cable(chassis - 1, path) = Cable{};
    const bool wrong = box.group != 7 || box.password != "secret";
    if (wrong) {
      box.group = 7;
      box.password = "secret";
      box.kill_agent();
    }
  }
  // What is down comes back, what stands still has gone on by then.
  later(2s, [this] {
    for (int chassis : {1, 2}) {
      Box& box = world_.box(chassis);
      box.start_agent();
      box.start_dataplane();
      box.set_management(true);
      box.set_modules(0);
      box.set_witness(true);
      for (std::size_t target : {0u, 1u}) box.set_remote(target, true);
    }
    world_.dataplanes_changed();
  });
}

RunResult run_seed(std::uint64_t seed, bool verbose, StepObserver* observer) {
  return Swarm(seed, verbose, observer).run();
}

}  // namespace hotpair::simulation
