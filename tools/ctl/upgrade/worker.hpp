// Carries out an upgrade's tasks, one at a time, as child processes in sessions of their own: sh on
// this node, or `hotpair peer exec` for the other one. Bounded in time and in what it keeps.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <poll.h>

#include "platform/linux/interactive_process.hpp"
#include "tools/ctl/upgrade/upgrade.hpp"

namespace hotpair::ctl::upgrade {

class Worker {
 public:
  Worker(std::string run_dir, std::string state_dir, int self)
      : run_dir_(std::move(run_dir)), state_dir_(std::move(state_dir)), self_(self) {}

  void begin(const Task& task, const Run& run, Instant now);
  void drop();  // what it does is of no more interest
  // Ready: pump() has something to do.
  void add_waited(std::vector<pollfd>& waited) const;
  // What the command said since, and the end of the task.
  std::vector<Event> pump(Instant now);

 private:
  void feed();
  void read_into(sys::FileDescriptor& from, std::string& text) const;
  void take_output(std::vector<Event>& events);

  std::string run_dir_, state_dir_;
  int self_;
  Task task_;
  Instant begun_{};
  std::unique_ptr<sys::InteractiveProcess> process_;
  std::string input_, output_, errors_;
  std::optional<std::string> not_started_;  // why
};

}  // namespace hotpair::ctl::upgrade
