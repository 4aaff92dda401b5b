// After an event of a device the kernel may keep the next one back for up to a second. So for that
// second the device is asked for every 10 ms, in the kernel worker, and what is new is learnt as if
// it had been told. Main loop only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "agent/daemon/worker.hpp"
#include "platform/linux/netlink_link.hpp"
#include "platform/linux/netlink_link_reader.hpp"

namespace hotpair::daemon {

constexpr Duration kBurstLength = 1s, kBurstStep = 10ms;
constexpr std::size_t kMostInABurst = 64;  // devices; a machine with more that flap is told later

class LinkBurst {
 public:
  struct Needs {
    sys::EventLoop& loop;
    Worker& worker;  // outlives this; what it still runs when this goes is harmless
    sys::LinkMonitor& monitor;
    std::function<void()> learnt;  // the monitor knows something new
  };

  LinkBurst(Needs needs, sys::LinkReader reader)
      : needs_(std::move(needs)),
        reader_(std::make_shared<sys::LinkReader>(std::move(reader))),
        self_(std::make_shared<LinkBurst*>(this)) {}
  ~LinkBurst();
  LinkBurst(const LinkBurst&) = delete;
  LinkBurst& operator=(const LinkBurst&) = delete;

  void on_event(int ifindex);

 private:
  struct Question {
    int ifindex = 0;
    std::uint64_t events = 0;
  };

  void step();
  void answered(const std::vector<Question>& questions, const std::vector<sys::LinkInfo>& links);

  Needs needs_;
  std::shared_ptr<sys::LinkReader> reader_;
  std::shared_ptr<LinkBurst*> self_;  // null once this is gone; read in the main loop only
  std::map<int, Instant> until_;
  sys::TimerId timer_ = 0;
  bool asking_ = false;
};

}  // namespace hotpair::daemon
