// Runs the operator's commands and the systemd target at a change of role, without waiting for
// them. Commands run one after the other, in the order of the file; each is ended with all it
// started after 10 s. How it went is logged and changes nothing; what failed since the last change
// of role is a warning of `status`. A change of role drops what the one before has not begun.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "agent/core/action.hpp"
#include "platform/base/log.hpp"
#include "platform/config/config.hpp"
#include "platform/linux/process.hpp"

namespace hotpair::daemon {

constexpr Duration kHookTimeout = 10s;
constexpr const char* kPrimaryTarget = "hotpair-primary.target";

class Hooks {
 public:
  // `under_systemd`: also start and stop kPrimaryTarget.
  Hooks(sys::EventLoop& loop, Log log, bool under_systemd, Duration timeout = kHookTimeout)
      : runner_(loop), log_(std::move(log)), under_systemd_(under_systemd), timeout_(timeout) {}

  // The environment of each command: HOTPAIR_ROLE, HOTPAIR_EPOCH, HOTPAIR_REASON.
  void run(agent::Hook hook, const config::Takeover& commands, std::uint64_t epoch,
           const std::string& reason);

  // One sentence for each command that failed since the last change of role.
  const std::vector<std::string>& failures() const { return failures_; }

 private:
  struct Job {
    std::string role;
    sys::ProcessRequest request;
  };

  void drop_waiting();
  void start_next();
  void start(Job job, bool in_turn);
  void done(const std::string& role, const std::string& command,
            const sys::ProcessOutcome& outcome);

  sys::ProcessRunner runner_;
  Log log_;
  bool under_systemd_;
  Duration timeout_;
  std::deque<Job> waiting_;
  bool running_ = false;  // a command of the list; the target does not count
  std::vector<std::string> failures_;
};

}  // namespace hotpair::daemon
