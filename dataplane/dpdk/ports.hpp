// The session-sync ports of this node, by preference: what is received comes from all of them, what
// is sent leaves by the one that PortChoice picks. A port that is missing, or whose kernel
// interface was made anew, is opened again; the session table outlives all of them. One thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/dpdk/counters.hpp"
#include "dataplane/dpdk/frame_io.hpp"
#include "dataplane/dpdk/port.hpp"
#include "dataplane/dpdk/port_choice.hpp"
#include "platform/base/log.hpp"
#include "platform/base/result.hpp"

namespace hotpair::dpdk {

class Ports {
 public:
  // At least one of `devices` must work; what keeps others from working is logged, and tried again.
  // The error names them all.
  static Result<std::unique_ptr<Ports>> open(const std::vector<std::string>& devices,
                                             Counters& counters, Log log);

  // One burst of each port at most: visit(port, frame). Returns the most that one port had: less
  // than Port::kBurst means that nothing waits.
  template <typename Visit>
  std::size_t receive(Visit&& visit) {
    std::size_t most = 0;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (!slots_[i].port) continue;
      most = std::max(most, slots_[i].port->receive([&](Bytes frame) { visit(i, frame); }));
    }
    return most;
  }
  void on_hello(std::size_t port, Bytes body, std::size_t frame, Instant now);
  Wire& wire(std::size_t port) { return slots_[port].wire; }
  void forget_peer();  // frames go to everybody again: its ports may have been replaced

  // By the chosen port, as Port says; empty also while that port is missing.
  MutableBytes begin_frame(Instant now);
  void commit(std::size_t size);
  void flush();
  const Wire& chosen_wire() const { return slots_[choice_.chosen()].wire; }

  // The same by every port that has a link: 0 when there is none.
  std::size_t relay(FrameIo& frames, Bytes content);
  void say_hellos(FrameIo& frames, Instant now);
  void watch(Instant now);  // links and missing ports; call about every 100 ms
  Instant next_hello(Instant now) const;

  struct View {
    std::string device;
    bool open = false, up = false, chosen = false, heard = false, proven = false;
    Mac mac{};
    Port::Traffic traffic;
  };
  std::vector<View> views(Instant now) const;
  bool up() const { return choice_.up(choice_.chosen()); }
  std::size_t room(Instant now) const { return choice_.room(now); }
  const std::string& device() const { return slots_[choice_.chosen()].device; }
  const Mac& mac() const { return chosen_wire().own; }
  bool announced() const;  // every open port has a descriptor that wakes; none must be polled
  std::vector<int> wake_fds() const;  // of the open ports that have one

 private:
  struct Slot {
    std::string device;
    std::unique_ptr<Port> port;
    Wire wire;
    Instant retry_at{};
    Duration retry_after{};
    bool said = false;      // why it cannot be used, in the log
    Instant short_until{};  // its ring was blocked: no long frames
  };
  Ports(const std::vector<std::string>& devices, Counters& counters, Log log);
  Status open(Slot& slot);
  void tell_nodes(const Slot& slot) const;
  void close(std::size_t port, Instant retry_at);
  void retry(std::size_t port, Instant now);
  void watch_link(std::size_t port, Instant now);
  void decide(Instant now);
  void say_hello(FrameIo& frames, std::size_t port, std::size_t size, Instant now);

  Counters& counters_;
  Log log_;
  std::vector<Slot> slots_;
  PortChoice choice_;
  Instant hello_at_{}, long_hello_at_{};
};

}  // namespace hotpair::dpdk
