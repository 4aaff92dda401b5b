// A rolling upgrade as a value: the plan, how far it came, and what stopped it. Kept as a file
// (run_json.hpp), so that it outlives the command that drives it, the agent, and the box.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "platform/base/time.hpp"
#include "tools/ctl/upgrade/pair_view.hpp"

namespace hotpair::ctl::upgrade {

enum class StepKind : std::uint8_t {
  check,     // the pair is whole, and both nodes know of this run
  take_out,  // maintenance begins; of the primary: the role moves first
  command,   // the operator's command runs on the node
  comeback,  // the node is heard, of the same or a newer protocol, and in sync
  put_back,  // maintenance ends
  stop,      // of an abort: a command that still runs is ended
};
enum class StepState : std::uint8_t { waiting, running, done, failed };

struct Step {
  StepKind kind = StepKind::check;
  int node = 0;             // chassis id; 0: both
  bool moves_role = false;  // of take_out: the node is the primary
  StepState state = StepState::waiting;
  Duration took{};        // in all attempts
  unsigned attempts = 0;  // of the command: it was started so often
  std::string detail;     // what came of it, for people
};

// How long a step may take, from when it was begun or resumed.
struct Limits {
  Duration command = 30min;   // the operator's command
  Duration comeback = 10min;  // back and in sync
  Duration order = 2min;      // the pair to do what it is told: maintenance, switchover
  Duration settle = 3s;       // what was reached must last so long
};

// What a node was before its turn.
struct Before {
  std::string name, version;
  unsigned protocol_highest = 0;
};

enum class RunState : std::uint8_t { running, stopped, finished, aborting, aborted };

struct Failure {
  std::string why, next;
};

struct Run {
  std::string id;       // of digits and letters: names its folder on both nodes
  std::string command;  // for sh -c
  std::string began;    // wall clock, ISO
  int driver = 0;       // the chassis on which the command hotpair runs
  Limits limits;
  RunState state = RunState::running;
  std::array<Before, 2> before;        // by chassis id - 1
  std::array<std::string, 2> boot_id;  // of a box that went down at the end of its command
  std::vector<Step> steps;
  Failure failure;  // of a run that is stopped

  Before& before_of(int node) { return before[node == 2 ? 1 : 0]; }
  const Before& before_of(int node) const { return before[node == 2 ? 1 : 0]; }
  std::string& boot_of(int node) { return boot_id[node == 2 ? 1 : 0]; }
  const std::string& name_of(int node) const { return before_of(node).name; }
  std::size_t current() const;  // the first step that is not done; steps.size(): none
};

// The backup first, then the primary, one after the other.
std::vector<Step> plan(int backup, int primary);
// What is left to do when the rest is given up: a command that may still run is ended, and who was
// taken out is put back.
std::vector<Step> plan_of_abort(const Run& run);

constexpr int other(int node) {
  return 3 - node;
}
const char* to_string(StepKind kind);
const char* to_string(StepState state);
const char* to_string(RunState state);
// "fw2: the command runs"
std::string title(const Run& run, const Step& step);

}  // namespace hotpair::ctl::upgrade
