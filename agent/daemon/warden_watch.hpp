// Keeps the wardens (warden.hpp) in number: one that dies is replaced, at once for the first time
// and ever later while it goes on, so that whatever kills them costs a bounded part of this box.
//
// Owned by the main loop; a process is started in the disk worker, as that may wait for memory.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/daemon/warden.hpp"
#include "agent/daemon/worker.hpp"
#include "platform/base/log.hpp"
#include "platform/linux/event_loop.hpp"

namespace hotpair::daemon {

constexpr Duration kFirstWardenPause = 100ms, kLongestWardenPause = 10s;  // doubling
constexpr Duration kWardenForgiven = 60s;  // who has lived for so long died for the first time

// When the next is started, for one place of a warden. Pure.
class WardenPace {
 public:
  // It died, or could not be started.
  Instant next(Instant now);

 private:
  std::optional<Instant> last_;  // what was answered last
  Duration pause_{};
};

class WardenWatch {
 public:
  struct Needs {
    sys::EventLoop& loop;
    Worker& disk;
    Warden& warden;
    Log log;
  };
  explicit WardenWatch(Needs needs);  // starts them
  ~WardenWatch();                     // they live on, and are not replaced any more
  WardenWatch(const WardenWatch&) = delete;
  WardenWatch& operator=(const WardenWatch&) = delete;

  std::vector<std::string> warnings() const;  // while one is missing
  nlohmann::json to_json() const;             // {"pids": [..], "replaced": n}

 private:
  std::size_t alive() const;
  void adopt(std::size_t slot, Warden::Process process);
  void on_dead(std::size_t slot);
  void start_later(std::size_t slot);
  void start_again(std::size_t slot);
  void on_failure(std::size_t slot, const Error& error);

  Needs needs_;
  std::array<WardenPace, kWardens> paces_;
  std::array<sys::TimerId, kWardens> timers_{};
  std::string why_none_;  // starts; empty: the last one did
  std::uint64_t replaced_ = 0;
};

}  // namespace hotpair::daemon
