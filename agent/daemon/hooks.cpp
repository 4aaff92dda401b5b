#include "agent/daemon/hooks.hpp"

#include "platform/base/words.hpp"

namespace hotpair::daemon {
namespace {

const char* name_of(agent::Hook hook) {
  switch (hook) {
    case agent::Hook::primary:
      return "primary";
    case agent::Hook::backup:
      return "backup";
    case agent::Hook::fault:
      return "fault";
  }
  return "";
}

}  // namespace

void Hooks::run(agent::Hook hook, const config::Takeover& commands, std::uint64_t epoch,
                const std::string& reason) {
  const std::string role = name_of(hook);
  drop_waiting();
  failures_.clear();
  const auto job = [&](std::vector<std::string> argv) {
    Job made{role, {}};
    made.request.argv = std::move(argv);
    made.request.environment = {{"HOTPAIR_ROLE", role},
                                {"HOTPAIR_EPOCH", std::to_string(epoch)},
                                {"HOTPAIR_REASON", reason}};
    made.request.timeout = timeout_;
    return made;
  };
  if (under_systemd_)
    start(job({"systemctl", hook == agent::Hook::primary ? "start" : "stop", "--no-block",
               kPrimaryTarget}),
          false);
  const auto& list = hook == agent::Hook::primary  ? commands.hooks_primary
                     : hook == agent::Hook::backup ? commands.hooks_backup
                                                   : commands.hooks_fault;
  for (const auto& argv : list) waiting_.push_back(job(argv));
  start_next();
}

void Hooks::drop_waiting() {
  for (const Job& job : waiting_)
    log_.notice("hook-skipped", "hook for role " + job.role +
                                    " was not begun before the next change of role: " +
                                    joined(job.request.argv, " "));
  waiting_.clear();
}

void Hooks::start_next() {
  if (running_ || waiting_.empty()) return;
  Job job = std::move(waiting_.front());
  waiting_.pop_front();
  start(std::move(job), true);
}

void Hooks::start(Job job, bool in_turn) {
  running_ = running_ || in_turn;
  const std::string command = joined(job.request.argv, " ");
  runner_.run(std::move(job.request),
              [this, command, role = job.role, in_turn](const sys::ProcessOutcome& outcome) {
                done(role, command, outcome);
                if (!in_turn) return;
                running_ = false;
                start_next();
              });
}

void Hooks::done(const std::string& role, const std::string& command,
                 const sys::ProcessOutcome& outcome) {
  if (outcome.ok())
    return log_.info("hook-done", "hook for role " + role + " done: " + command,
                     {{"hook", command}, {"ms", to_ms(outcome.took)}});
  const std::string failure =
      "hook for role " + role + " failed: " + command + ": " + outcome.error;
  constexpr std::size_t kMostFailures = 16;
  if (failures_.size() < kMostFailures) failures_.push_back(failure);
  log_.error(
      "hook-failed", failure,
      {{"hook", command}, {"ms", to_ms(outcome.took)}, {"output", outcome.output.substr(0, 500)}});
}

}  // namespace hotpair::daemon
