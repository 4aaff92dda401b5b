#include "agent/daemon/hooks.hpp"

namespace hotpair::daemon {
namespace {

std::string joined(const std::vector<std::string>& argv) {
  std::string text;
  for (const auto& word : argv) text += (text.empty() ? "" : " ") + word;
  return text;
}

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
  if (under_systemd_)
    start({"systemctl", hook == agent::Hook::primary ? "start" : "stop", "--no-block",
           kPrimaryTarget},
          role, epoch, reason);
  const auto& list = hook == agent::Hook::primary  ? commands.hooks_primary
                     : hook == agent::Hook::backup ? commands.hooks_backup
                                                   : commands.hooks_fault;
  for (const auto& argv : list) start(argv, role, epoch, reason);
}

void Hooks::start(std::vector<std::string> argv, const std::string& role, std::uint64_t epoch,
                  const std::string& reason) {
  sys::ProcessRequest request;
  request.argv = std::move(argv);
  request.environment = {
      {"HOTPAIR_ROLE", role}, {"HOTPAIR_EPOCH", std::to_string(epoch)}, {"HOTPAIR_REASON", reason}};
  request.timeout = kHookTimeout;
  const std::string command = joined(request.argv);
  runner_.run(std::move(request), [this, command, role](const sys::ProcessOutcome& outcome) {
    if (outcome.ok()) {
      log_.info("hook-done", "hook for role " + role + " done: " + command,
                {{"hook", command}, {"ms", to_ms(outcome.took)}});
    } else {
      log_.error("hook-failed",
                 "hook for role " + role + " failed: " + command + ": " + outcome.error,
                 {{"hook", command},
                  {"ms", to_ms(outcome.took)},
                  {"output", outcome.output.substr(0, 500)}});
    }
  });
}

}  // namespace hotpair::daemon
