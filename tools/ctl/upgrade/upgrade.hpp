// What a rolling upgrade does next: events with their time in, actions out. Pure; it reads no clock
// and runs nothing, so that every order of failures can be played through in a test.
//
// At most one task is under way at a time. The pair is told to it a few times a second (PairSeen),
// which is also what lets time pass: a limit that is over is noticed with the next event.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "platform/base/time.hpp"
#include "tools/ctl/upgrade/run.hpp"

namespace hotpair::ctl::upgrade {

// Something to be done on a node, here or over there.
struct Task {
  enum class Kind : std::uint8_t {
    claim,            // this node is told of the run; refused when it knows of another
    start,            // the command is started there, apart from everything else that runs
    follow,           // its output from `offset` on, and its end
    look,             // how it stands, without waiting; and which boot of the box this is
    maintenance_on,   // the agent's order
    maintenance_off,  // the same
    stop,             // the command and what it started are ended
    release,          // the claim is taken back
  };
  Kind kind = Kind::claim;
  int node = 0;
  std::uint64_t offset = 0;  // bytes
  friend bool operator==(const Task&, const Task&) = default;
};

struct CommandReport {
  enum class State : std::uint8_t { none, running, ended, vanished };
  State state = State::none;
  int code = 0;                     // exit status of what has ended
  bool going_down = false;          // the box was shutting down by then
  std::string boot_then, boot_now;  // the kernel's boot id at the start of the command, and now
};

// --- events
struct PairSeen {
  std::optional<PairView> pair;
  std::string why;  // there is none
};
struct TaskEnded {
  Task task;
  bool reached = false;  // the node answered; false: `text` says why not
  bool ok = false;       // and did it; false: `text` is the refusal
  std::string text;
  CommandReport report;
};
struct Output {
  std::string text;  // of the command that is followed
};
struct Interrupted {};
using Event = std::variant<PairSeen, TaskEnded, Output, Interrupted>;

// --- actions
struct Save {};  // the run has changed
struct Drop {};  // the task under way is of no more interest
struct Tell {    // a step has begun or ended
  std::size_t index = 0;
};
enum class Outcome : std::uint8_t { finished, refused, stopped, unreachable };
struct End {
  Outcome outcome = Outcome::finished;
};
using Action = std::variant<Task, Save, Drop, Tell, End>;
using Actions = std::vector<Action>;

class Upgrade {
 public:
  // A run that begins, goes on or is aborted (its steps say what is left). `command_is_done`: the
  // command at which it stopped was seen to by the operator.
  explicit Upgrade(Run run, bool command_is_done = false);

  void step(Instant now, const Event& event, Actions& actions);

  const Run& run() const { return run_; }
  bool ended() const { return ended_; }
  bool incomplete() const { return incomplete_; }                  // an abort left something undone
  const std::string& waiting_for() const { return waiting_for_; }  // of the present step
  const std::string& output() const { return output_; }            // of the command: its end

 private:
  enum class Phase : std::uint8_t { look, start, follow };

  void take(const PairSeen& seen);
  void take(const TaskEnded& ended);
  void take(const Output& output);
  void take(const Interrupted&);
  void pursue();
  void begin(std::size_t index);
  void finish_step();
  Duration limit(const Step& step) const;

  // True: the step is done. They are called again whenever something may have changed.
  bool pursue_step(Step& step);
  bool pursue_check();
  bool pursue_take_out(Step& step);
  bool pursue_command(Step& step);
  bool pursue_comeback(Step& step);
  bool pursue_put_back(Step& step);
  bool pursue_stop(Step& step);
  void after_claim(const TaskEnded& ended);
  void after_order(const TaskEnded& ended);
  void after_command_task(Step& step, const TaskEnded& ended);
  void after_command_end(Step& step, const CommandReport& report);
  void note_before();

  bool steady();  // what was reached has lasted
  bool free_to_act() const { return !busy_ && now_ >= retry_at_; }
  bool wait_for(const std::string& what);  // false
  void wait_and_retry(const std::string& what);
  void begin_task(Task::Kind kind, int node);
  void fail(const std::string& why, const std::string& next);
  void refuse(const std::string& why, Outcome outcome = Outcome::refused);
  void stop_here(const std::string& why, const std::string& next);
  void close(Outcome outcome);
  void save() { out_->push_back(Save{}); }
  Step& present() { return run_.steps[run_.current()]; }
  std::string retry_advice(const Step& step) const;

  Run run_;
  bool command_is_done_;
  Instant now_{};
  Actions* out_ = nullptr;  // of the present event
  std::optional<PairView> pair_;
  std::string no_pair_;  // why

  std::optional<std::size_t> index_;  // of the step that was begun
  Instant since_{}, retry_at_{};
  Duration carried_{};  // what the step took before
  std::optional<Instant> steady_since_;
  std::string waiting_for_;
  std::optional<Task> busy_;
  Phase phase_ = Phase::look;
  bool done_ = false;      // a task's end has made the present step done
  bool rebooted_ = false;  // seen in the present step
  std::uint64_t sessions_before_ = 0;
  std::uint64_t offset_ = 0;
  std::string output_;

  std::vector<int> to_release_;
  std::optional<Outcome> closing_;
  bool ended_ = false, incomplete_ = false;
};

// Who carries the traffic and what keeps it so, for people.
std::string standing(const std::optional<PairView>& pair);

}  // namespace hotpair::ctl::upgrade
