#include "tests/sim/swarm.hpp"

#include "tests/sim/world.hpp"

namespace hotpair::simulation {
using namespace agent;

namespace {

constexpr Duration kDisturbedFor = 12s;
// A reservation that is written as slowly as this may not be there at the next takeover.
constexpr Duration kPersistFast = 50ms;

class Swarm {
 public:
  Swarm(std::uint64_t seed, bool verbose, StepObserver* observer)
      : rng_(seed * 0x9e3779b97f4a7c15ULL + 77), world_(seed) {
    world_.print_at_once = verbose;
    world_.observer = observer;
    world_.tell_everything = true;
  }
  RunResult run();

 private:
  struct Kind {
    const char* name;
    void (Swarm::*strike)();
    bool enabled = false;
  };

  void configure();
  void set_times();
  void watch_targets();
  void set_split_brain();
  void set_faults();
  void disturb();
  void heal();
  Duration quiet_time() const;
  int any_chassis() { return rng_.chance(1, 2) ? 1 : 2; }
  Box& any_box() { return world_.box(any_chassis()); }
  PathId any_path() {
    static constexpr std::array<PathId, 3> kPaths{0, 1, kSessionSyncPath};
    return kPaths[rng_.below(kPaths.size())];
  }
  Duration up_to(Duration most) {
    return Duration(rng_.below(static_cast<std::uint64_t>(most.count())) + 1);
  }
  void later(Duration after, std::function<void()> what) {
    world_.timeline.after(after, std::move(what));
  }
  void say(const std::string& what) { world_.tell("* " + what); }
  std::string name(const Box& box) { return "node " + std::to_string(static_cast<int>(box.id())); }

  void cut_cable();
  void cut_one_way();
  void cut_everything();
  void worsen_cable();
  void kill_agent();
  void power_loss();
  void stall();
  void pause();
  void restart_dataplane();
  void flap_link();
  void fail_module();
  void order();
  void leave();
  void misconfigure();
  void lose_disk();
  void lose_target();
  void lose_witness();
  void reload();
  void change_one_key(NodeConfig& config);

  Rng rng_;
  World world_;
  std::array<Kind, 18> kinds_{{{"cut a cable", &Swarm::cut_cable},
                               {"cut one way", &Swarm::cut_one_way},
                               {"cut everything", &Swarm::cut_everything},
                               {"worsen a cable", &Swarm::worsen_cable},
                               {"kill an agent", &Swarm::kill_agent},
                               {"power loss", &Swarm::power_loss},
                               {"stall", &Swarm::stall},
                               {"pause", &Swarm::pause},
                               {"restart a data plane", &Swarm::restart_dataplane},
                               {"flap a link", &Swarm::flap_link},
                               {"fail a module", &Swarm::fail_module},
                               {"an order", &Swarm::order},
                               {"leave", &Swarm::leave},
                               {"misconfigure", &Swarm::misconfigure},
                               {"lose a disk", &Swarm::lose_disk},
                               {"lose a target", &Swarm::lose_target},
                               {"lose the witness", &Swarm::lose_witness},
                               {"reload", &Swarm::reload}}};
  Duration calm_ = 1s;  // the longest time between two strikes
  bool healing_ = false;
  std::uint64_t files_ = 1;  // how many versions of cluster.yaml there were
};

void Swarm::configure() {
  set_times();
  const bool override_ = rng_.chance(1, 3), pickup = rng_.chance(2, 3);
  const Duration hold = rng_.chance(1, 4) ? up_to(4s) : Duration{};
  const auto tolerance = static_cast<std::uint8_t>(rng_.below(2));
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
  if (rng_.chance(1, 2)) watch_targets();
  if (rng_.chance(1, 4)) set_split_brain();
  if (rng_.chance(1, 4)) any_box().next_version = true;
  // Rules that differ must not end in a pair without a primary either.
  if (rng_.chance(1, 10)) {
    NodeConfig& config = any_box().config;
    config.override_ = !config.override_;
    config.cluster_digest = 1;
  }
  if (rng_.chance(1, 3)) {
    const PathId gone = any_path();
    for (int chassis : {1, 2}) world_.box(chassis).config.paths[gone].configured = false;
  }
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
  const Duration interval = kIntervals[rng_.below(kIntervals.size())];
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
      if (rng_.chance(1, 8)) fault->fail_permille = static_cast<unsigned>(rng_.below(500));
      if (rng_.chance(1, 10)) fault->silent_permille = static_cast<unsigned>(rng_.below(300));
      if (fault == &faults.persist && (fault->fail_permille != 0 || fault->silent_permille != 0))
        world_.checkers.disk_is_reliable = false;
      if (fault == &faults.persist && fault->took > kPersistFast)
        world_.checkers.disk_is_reliable = false;
      if (fault == &faults.withdraw && (fault->fail_permille != 0 || fault->silent_permille != 0))
        world_.checkers.both_hold_bound = 60s;  // an address that stays is retried, and reported
    }
  }
  for (Kind& kind : kinds_) kind.enabled = rng_.chance(1, 2);
  calm_ = up_to(1s);
}

RunResult Swarm::run() {
  configure();
  set_faults();
  const NodeConfig& config = world_.box(1).config;
  world_.checkers.both_hold_bound += 500ms + 6 * config.detection_time();
  // Rules that differ are a draw until the hold-down is over.
  if (config.override_ != world_.box(2).config.override_)
    world_.checkers.both_hold_bound += std::max<Duration>(config.hello_holddown, 1s);
  for (int chassis : {1, 2}) {
    Box& box = world_.box(chassis);
    later(up_to(3s), [&box] {
      box.start_agent();
      box.start_dataplane();
    });
  }
  disturb();
  world_.run(kDisturbedFor);
  heal();
  world_.run(quiet_time());
  world_.checkers.must_be_settled();
  return {world_.checkers.violation(), world_.take_story(), world_.checkers.takeovers,
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

void Swarm::cut_cable() {
  const PathId path = any_path();
  const Duration time = up_to(3s);
  say("cable " + std::to_string(path) + " cut for " + std::to_string(to_ms(time)) + " ms");
  for (int from : {0, 1}) world_.network.cable(from, path).cut = true;
  later(time, [this, path] {
    for (int from : {0, 1}) world_.network.cable(from, path).cut = false;
    world_.dataplanes_changed();
  });
}

void Swarm::cut_one_way() {
  const int from = any_chassis() - 1;
  const bool all = rng_.chance(1, 2);
  const PathId only = any_path();
  say("from node " + std::to_string(from + 1) + " nothing arrives on " +
      (all ? "any path" : "path " + std::to_string(only)));
  for (PathId path = 0; path < kMaxPaths; ++path)
    if (all || path == only) world_.network.cable(from, path).cut = true;
  later(up_to(3s), [this, from] {
    for (PathId path = 0; path < kMaxPaths; ++path) world_.network.cable(from, path).cut = false;
  });
}

void Swarm::cut_everything() {
  say("all cables cut");
  for (int from : {0, 1})
    for (PathId path = 0; path < kMaxPaths; ++path) world_.network.cable(from, path).cut = true;
  later(up_to(2s), [this] {
    for (int from : {0, 1})
      for (PathId path = 0; path < kMaxPaths; ++path) world_.network.cable(from, path).cut = false;
  });
}

void Swarm::worsen_cable() {
  Cable& cable = world_.network.cable(any_chassis() - 1, any_path());
  cable.delay = rng_.chance(1, 2) ? up_to(20ms) : Duration(100us);
  cable.jitter = rng_.chance(1, 2) ? up_to(30ms) : Duration{};
  cable.loss_permille = rng_.chance(1, 2) ? static_cast<unsigned>(rng_.below(300)) : 0;
  cable.duplicate_permille = rng_.chance(1, 2) ? static_cast<unsigned>(rng_.below(500)) : 0;
}

void Swarm::kill_agent() {
  Box& box = any_box();
  say(name(box) + ": agent killed");
  box.kill_agent();
  later(up_to(2s), [&box] { box.start_agent(); });
}

void Swarm::power_loss() {
  Box& box = any_box();
  say(name(box) + ": power lost");
  box.power_off();
  later(up_to(4s), [&box] {
    box.start_agent();
    box.start_dataplane();
  });
}

void Swarm::stall() {
  Box& box = any_box();
  const Duration time = up_to(rng_.chance(1, 2) ? 2 * box.config.detection_time() : Duration(2s));
  say(name(box) + ": main loop stands still for " + std::to_string(to_ms(time)) + " ms");
  box.stall(time);
}

void Swarm::pause() {
  Box& box = any_box();
  const Duration time = up_to(rng_.chance(1, 2) ? 2 * box.config.detection_time() : Duration(2s));
  say(name(box) + ": paused for " + std::to_string(to_ms(time)) + " ms");
  box.pause(time);
}

void Swarm::restart_dataplane() {
  Box& box = any_box();
  say(name(box) + ": data plane killed");
  box.kill_dataplane();
  later(up_to(2s), [&box] { box.start_dataplane(); });
}

void Swarm::flap_link() {
  Box& box = any_box();
  const std::size_t link = rng_.below(2);
  say(name(box) + ": link " + std::to_string(link) + " down");
  box.set_link(link, false);
  later(up_to(2s), [&box, link] { box.set_link(link, true); });
}

void Swarm::fail_module() {
  Box& box = any_box();
  box.set_modules(static_cast<std::uint8_t>(rng_.below(3)));
  if (rng_.chance(1, 2)) box.set_management(rng_.chance(1, 2));
  say(name(box) + ": " + std::to_string(box.failed_modules) + " modules failed, management " +
      (box.management_up ? "up" : "down"));
}

void Swarm::order() {
  using What = OperatorCommand::What;
  static constexpr std::array<What, 6> kOrders{What::failover,       What::failover,
                                               What::failover_force, What::force_primary,
                                               What::force_backup,   What::force_none};
  Box& box = any_box();
  const std::size_t which = rng_.below(kOrders.size());
  say(name(box) + ": order " + std::to_string(which));
  box.command(kOrders[which]);
}

void Swarm::leave() {
  Box& box = any_box();
  say(name(box) + ": asked to exit");
  box.command(OperatorCommand::What::shutdown);
  later(3s + up_to(2s), [&box] { box.start_agent(); });
}

void Swarm::misconfigure() {
  Box& box = any_box();
  if (rng_.chance(1, 2))
    box.group = 8;
  else
    box.password = "wrong";
  say(name(box) + ": restarted with another " + (box.group == 8 ? "group" : "password"));
  box.kill_agent();
  later(up_to(500ms), [&box] { box.start_agent(); });
  later(2s + up_to(2s), [this, &box] {
    box.group = 7;
    box.password = "secret";
    say(name(box) + ": restarted as it should be");
    box.kill_agent();
    later(100ms, [&box] { box.start_agent(); });
  });
}

void Swarm::lose_disk() {
  Box& box = any_box();
  world_.checkers.disk_is_reliable = false;
  say(name(box) + ": power lost, and its disk is empty");
  box.power_off();
  box.disk = PersistedState{};
  later(up_to(2s), [&box] {
    box.start_agent();
    box.start_dataplane();
  });
}

// For one node, or for both, which notice it at different times.
void Swarm::lose_target() {
  const std::size_t target = rng_.below(2);
  const int first = any_chassis(), second = 3 - first;
  const bool both = rng_.chance(1, 2);
  say("target " + std::to_string(target) + " lost for " +
      (both ? "both nodes" : name(world_.box(first))));
  const auto set = [this, target](int chassis, Duration after, bool reached) {
    later(after, [this, target, chassis, reached] {
      world_.box(chassis).set_remote(target, reached || healing_);
    });
  };
  const Duration back = 400ms + up_to(3s);
  set(first, 0ms, false);
  set(first, back, true);
  if (!both) return;
  set(second, up_to(400ms), false);
  set(second, back + up_to(400ms), true);
}

void Swarm::lose_witness() {
  Box& box = any_box();
  say(name(box) + ": the witness does not answer");
  box.set_witness(false);
  later(up_to(3s), [&box] { box.set_witness(true); });
}

// cluster.yaml changes, and the two nodes read it one after the other.
void Swarm::reload() {
  const int first = any_chassis();
  NodeConfig changed = world_.box(first).config;
  change_one_key(changed);
  changed.cluster_digest = ++files_;
  say("a new cluster.yaml, first for node " + std::to_string(first));
  const auto read = [this, changed](int chassis) {
    Box& box = world_.box(chassis);
    NodeConfig config = changed;  // but for what is the node's own
    config.self = box.config.self;
    config.serial = box.config.serial;
    config.hostname = box.config.hostname;
    config.priority = box.config.priority;
    box.reload(config);
  };
  read(first);
  later(up_to(2s), [read, first] { read(3 - first); });
}

void Swarm::change_one_key(NodeConfig& config) {
  switch (rng_.below(7)) {
    case 0:
      config.override_ = !config.override_;
      return;
    case 1:
      config.hold = rng_.chance(1, 2) ? Duration{} : up_to(2s);
      return;
    case 2:
      config.board_failover_tolerance = static_cast<std::uint8_t>(rng_.below(3));
      return;
    case 3:
      config.split_brain = static_cast<SplitBrain>(rng_.below(3));
      return;
    case 4:
      config.flap_backoff = rng_.chance(1, 2) ? Duration{} : up_to(2s);
      return;
    case 5:
      config.session_pickup = !config.session_pickup;
      return;
    default:
      if (config.data_interfaces.size() < 4)
        config.data_interfaces.push_back({"dmz", false, ""});
      else
        config.remote_monitors = {};
  }
}

}  // namespace

RunResult run_seed(std::uint64_t seed, bool verbose, StepObserver* observer) {
  return Swarm(seed, verbose, observer).run();
}

}  // namespace hotpair::simulation
