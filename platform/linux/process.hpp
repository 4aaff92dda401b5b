// Running other programs (hooks, checks, apply commands) without waiting for them.
//
// The child has its own process group, /dev/null as input, and stdout and stderr in one pipe. At
// the timeout the whole group gets SIGKILL. No shell is involved. Output beyond the bound is read
// and dropped.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "platform/base/time.hpp"
#include "platform/linux/event_loop.hpp"

namespace hotpair::sys {

struct ProcessRequest {
  std::vector<std::string> argv;  // argv[0]: a path, or a name that is looked up in $PATH
  std::vector<std::pair<std::string, std::string>> environment;  // in addition to our own
  Duration timeout = 10s;
  std::size_t max_output = 64 * 1024;
  bool kill_group_at_end = false;  // what it left behind in its group ends with it
};

struct ProcessOutcome {
  enum class End : std::uint8_t { exited, signalled, timed_out, not_started };
  End end = End::not_started;
  int code = 0;        // exit status or signal number
  std::string output;  // stdout and stderr as they came
  bool truncated = false;
  Duration took{};
  std::string error;  // for people; empty when it exited with 0

  bool ok() const { return end == End::exited && code == 0; }
};

using ProcessId = std::uint64_t;  // ours, never used twice

class ProcessRunner {
 public:
  using Callback = std::function<void(const ProcessOutcome&)>;

  explicit ProcessRunner(EventLoop& loop);  // the loop must outlive the runner
  ~ProcessRunner();                         // kills what still runs; no callback is made

  // `callback` is called from the loop, never from inside run(), exactly once unless cancelled.
  ProcessId run(ProcessRequest request, Callback callback);
  void cancel(ProcessId process);  // kills its group; no callback is made
  std::size_t running() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hotpair::sys
