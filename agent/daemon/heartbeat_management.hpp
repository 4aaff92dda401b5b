// The management path: the same sealed heartbeats over UDP between two management addresses, as one
// more witness. What is sealed in a frame names path and sender, so a frame of a cable that
// somebody repeats here is refused.
//
// Owned by the main loop, which reads; the heartbeat thread sends on the same socket.
#pragma once

#include <functional>
#include <memory>

#include "agent/daemon/heartbeat_sender.hpp"
#include "agent/daemon/node_config.hpp"
#include "platform/base/log.hpp"
#include "platform/linux/event_loop.hpp"
#include "platform/linux/udp_channel.hpp"

namespace hotpair::daemon {

class HeartbeatManagement {
 public:
  struct Needs {
    sys::EventLoop& loop;
    HeartbeatSender& sender;
    std::function<void(Instant heard_at, Bytes frame)> heard;
    Log log;
  };
  // Opens at once; where that fails, again every second.
  HeartbeatManagement(Needs needs, const sys::UdpOptions& options);
  ~HeartbeatManagement();

  const sys::UdpOptions& options() const { return options_; }
  bool open() const { return channel_ != nullptr; }
  sys::UdpCounters counters() const { return channel_ ? channel_->counters() : sys::UdpCounters{}; }

 private:
  void try_open();

  Needs needs_;
  sys::UdpOptions options_;
  std::shared_ptr<sys::UdpChannel> channel_;
  sys::TimerId retry_ = 0;
  bool said_ = false;
};

}  // namespace hotpair::daemon
