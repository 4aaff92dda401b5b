// Tells events to SNMP managers through the program snmptrap, as events.snmp_trap says. From a
// thread of its own, so that neither the main loop nor a takeover waits for it: one program at a
// time, ended after kTrapTimeout. A flood is held back by event, and so is what does not fit the
// queue; both are counted and said. Without a configured receiver there is no thread.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "agent/daemon/companion.hpp"
#include "agent/daemon/event_feed.hpp"
#include "agent/daemon/trap_words.hpp"
#include "platform/linux/log_sink.hpp"
#include "platform/linux/loop_thread.hpp"
#include "platform/linux/process.hpp"

namespace hotpair::daemon {

class Traps final : public Companion {
 public:
  static constexpr Duration kTrapTimeout = 5s;
  static constexpr std::size_t kMostWaiting = 64;  // traps
  static constexpr int kBurst = 5;                 // of one event, then one a kRefill
  static constexpr Duration kRefill = 10s;

  Traps(std::shared_ptr<EventFeed> feed, Log log, Duration timeout = kTrapTimeout);
  ~Traps() override;

  void configure(const config::Config& config, const NodePlan& plan) override;
  void follow(const PairView&) override {}
  void add_status(nlohmann::json& status) const override;
  std::vector<std::string> warnings() const override;

 private:
  struct Counters {
    std::atomic<std::uint64_t> sent{0}, failed{0}, held_back{0};
  };
  class Sender;  // lives in the thread
  void start();

  std::shared_ptr<EventFeed> feed_;
  Log log_;
  Duration timeout_;
  Counters counters_;
  std::atomic<bool> failing_{false};  // the last one did not go
  bool wanted_ = false;
  std::unique_ptr<sys::LoopThread> thread_;
  std::unique_ptr<Sender> sender_;
};

}  // namespace hotpair::daemon
