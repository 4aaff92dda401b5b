// One worker module that is a check command: the command is run every `interval`, in a process
// group of its own that is killed whole at `timeout`, never twice at once. Exit status 0 is good.
// Belongs to the thread of the loop it was given.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/daemon/module_word.hpp"
#include "platform/config/config.hpp"
#include "platform/linux/process.hpp"

namespace hotpair::daemon {

constexpr std::size_t kMaxOutputLine = 120;

// The first line that is not empty, at most kMaxOutputLine bytes of it; what is not printable ASCII
// becomes '?'. For logs, status and heartbeats.
std::string first_line(std::string_view output);

// "slot 4 (ips): exit status 1: engine not running"; of a check that went well: "".
std::string check_failure(const config::Module& module, const sys::ProcessOutcome& outcome);

class CheckCommand {
 public:
  using Say = std::function<void(const ModuleWord& word)>;  // whenever the word differs

  // The first run starts in the loop's next turn. Both must outlive it.
  CheckCommand(sys::EventLoop& loop, sys::ProcessRunner& runner, config::Module module, Say say);
  ~CheckCommand();  // a run that is under way is killed
  CheckCommand(const CheckCommand&) = delete;
  CheckCommand& operator=(const CheckCommand&) = delete;

 private:
  void start();
  void finished(const sys::ProcessOutcome& outcome);

  sys::EventLoop& loop_;
  sys::ProcessRunner& runner_;
  config::Module module_;
  Say say_;
  RiseFall counter_;
  ModuleWord word_;
  sys::TimerId timer_ = 0;
  sys::ProcessId process_ = 0;  // 0: none runs
  Instant started_{};
};

}  // namespace hotpair::daemon
