// Runs the operator's commands and the systemd target at a change of role, without waiting for
// them. Each is ended after 10 s; how it went is logged and changes nothing.
#pragma once

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
  Hooks(sys::EventLoop& loop, Log log, bool under_systemd)
      : runner_(loop), log_(std::move(log)), under_systemd_(under_systemd) {}

  // The environment of each command: HOTPAIR_ROLE, HOTPAIR_EPOCH, HOTPAIR_REASON.
  void run(agent::Hook hook, const config::Takeover& commands, std::uint64_t epoch,
           const std::string& reason);

 private:
  void start(std::vector<std::string> argv, const std::string& role, std::uint64_t epoch,
             const std::string& reason);

  sys::ProcessRunner runner_;
  Log log_;
  bool under_systemd_;
};

}  // namespace hotpair::daemon
