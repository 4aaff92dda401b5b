// A pair made of nothing but what its status says, on which an upgrade is played: tasks are
// answered as the nodes would, unless the test has another answer.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tools/ctl/upgrade/upgrade.hpp"

namespace hotpair::ctl::upgrade {

class Play {
 public:
  // fw1 is the backup and drives, fw2 is the primary.
  Play();

  PairView pair;
  std::string no_pair;              // not empty: hotpaird does not answer, this is why
  std::vector<std::string> tasks;   // "start 1", as they were begun
  std::vector<std::string> wrongs;  // what must never be
  std::function<bool(const Task&, TaskEnded&)> instead;  // true: this is the answer
  std::function<void(int node)> on_start;                // a command begins at the node

  // Steps until it has ended, or for so long; the outcome when it has.
  std::optional<Outcome> go(Duration most = 1h);
  void interrupt();
  void resume(bool command_is_done = false);
  void abort();

  const Run& run() const { return upgrade_->run(); }
  const Upgrade& upgrade() const { return *upgrade_; }
  const Step& step(StepKind kind, int node) const;
  NodeView& node(int chassis) { return chassis == 1 ? pair.self : pair.peer; }
  std::size_t count(const std::string& task) const;
  // The command's report that the next looks give.
  static CommandReport report(CommandReport::State state, int code = 0);

 private:
  void feed(const Event& event);
  TaskEnded answer(const Task& task);
  void take_out(int chassis);

  std::optional<Upgrade> upgrade_;
  Instant now_{};
  std::optional<Task> task_;
  std::optional<Outcome> outcome_;
};

}  // namespace hotpair::ctl::upgrade
