// One run of the swarm: what strikes the pair, and how (swarm_strikes.cpp); when, and what is
// mended in the end (swarm.cpp).
#pragma once

#include "tests/sim/swarm.hpp"
#include "tests/sim/world.hpp"

namespace hotpair::simulation {

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
  agent::ProtocolRange any_protocol();
  void set_faults();
  void disturb();
  void heal();
  Duration quiet_time() const;
  int any_chassis() { return rng_.chance(1, 2) ? 1 : 2; }
  Box& any_box() { return world_.box(any_chassis()); }
  agent::PathId any_path() { return paths_[rng_.below(paths_.size())]; }
  Duration up_to(Duration most) {
    return Duration(rng_.below(static_cast<std::uint64_t>(most.count())) + 1);
  }
  Duration lasting(Duration most) { return up_to(most / pace_); }
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
  void start_again(Box& box);
  void misconfigure();
  void lose_disk();
  void lose_target();
  void lose_witness();
  void upset_clock();
  void set_clocks();
  void choose_paths();
  void upgrade();
  void reload();
  void change_one_key(agent::NodeConfig& config);

  Rng rng_;
  World world_;
  std::array<Kind, 20> kinds_{{{"cut a cable", &Swarm::cut_cable},
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
                               {"upset a clock", &Swarm::upset_clock},
                               {"upgrade", &Swarm::upgrade},
                               {"reload", &Swarm::reload}}};
  Duration calm_ = 1s;  // the longest time between two strikes
  Duration disturbed_for_ = 12s;
  int pace_ = 1;  // faults last so many times shorter
  std::vector<agent::PathId> paths_{0, 1, agent::kSessionSyncPath};
  bool healing_ = false;
  std::uint64_t files_ = 1;  // how many versions of cluster.yaml there were
};

}  // namespace hotpair::simulation
