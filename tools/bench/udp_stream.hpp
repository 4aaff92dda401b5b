// One stream of small datagrams at a fixed pace to an echo server, and what came back.
#pragma once

#include <cstdint>
#include <vector>

#include <nlohmann/json.hpp>

#include "platform/base/result.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/file_descriptor.hpp"
#include "tools/bench/endpoint.hpp"
#include "tools/bench/silence.hpp"

namespace hotpair::bench {

class UdpStream {
 public:
  static Result<UdpStream> open(const Endpoint& server);

  int fd() const { return fd_.get(); }
  void send(Instant now);  // one datagram
  void receive();          // everything that waits; dated by the kernel's receive timestamps

  void begin_window(Instant now);
  void end_window(Instant now);  // later echoes still count as received, no longer as silence
  bool all_returned() const { return returned_ == window_sent(); }
  nlohmann::json report() const;

 private:
  UdpStream(sys::FileDescriptor fd, int family) : fd_(std::move(fd)), family_(family) {}
  void returned(std::uint64_t number, Instant at);
  std::uint64_t window_sent() const { return (ended_ ? window_end_ : next_) - window_first_; }

  sys::FileDescriptor fd_;
  int family_;
  sys::WallClockMapper clock_;
  std::uint64_t next_ = 0;                           // number of the next datagram
  std::uint64_t window_first_ = 0, window_end_ = 0;  // numbers of the window: [first, end)
  bool ended_ = false;
  std::vector<bool> seen_;  // by number - window_first_: came back
  std::uint64_t returned_ = 0;
  Instant window_began_{};
  SilenceMeter silence_;  // of echoes
  SilenceMeter pauses_;   // of our own sending: what the sender itself missed
};

}  // namespace hotpair::bench
