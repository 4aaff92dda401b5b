// The pair as a whole: two boxes, the cables between them, virtual time, and the story of what was
// decided.
#pragma once

#include <string>
#include <vector>

#include "tests/sim/box.hpp"
#include "tests/sim/checkers.hpp"
#include "tests/sim/facts.hpp"

namespace hotpair::simulation {

class World {
 public:
  explicit World(std::uint64_t seed);

  Box& box(int chassis) { return chassis == 1 ? one_ : two_; }
  Box& other(const Box& box) { return &box == &one_ ? two_ : one_; }
  void run(Duration how_long) { timeline.run_until(timeline.now() + how_long); }
  Duration elapsed() const { return timeline.now() - began_; }

  // --- the story: one line a decision, time on the left
  void tell(const Box& box, const agent::Action& action);
  void tell(const std::string& line);
  std::string take_story();
  bool tell_everything = false;  // events of level info too
  bool print_at_once = false;

  // --- called by the boxes
  void started(Box& box);
  void stopped(Box& box);
  void after_step(Box& box, const std::vector<agent::Action>& actions);
  void announced(Box& box);
  void dataplanes_changed();

  void note(Fact fact) { simulation::note(facts, fact); }

  Facts facts;
  Timeline timeline;
  Network network;
  Checkers checkers;
  Duration sync_takes = 300ms;  // from two data planes that see each other to equal digests
  bool sync_stuck = false;
  StepObserver* observer = nullptr;

 private:
  void sync_dataplanes();

  Instant began_;
  Box one_, two_;
  std::string story_;
  std::uint64_t sync_attempt_ = 0;
};

// A configuration to start from: two heartbeat paths and the session-sync path, LAN and WAN.
agent::NodeConfig default_config(int chassis);

}  // namespace hotpair::simulation
