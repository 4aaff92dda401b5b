// What the neighbours make of a takeover: after an announcement those the kernel knows are asked,
// each by itself, whether they send to us (probe_round.hpp); and while addresses are held, anybody
// else who claims one of them is reported with his MAC address.
//
// A thread of its own without priority: nothing here is in a takeover's way. Its sockets are open
// only while addresses are held. Callbacks come in the main loop.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agent/daemon/probe_round.hpp"
#include "platform/base/result.hpp"
#include "platform/linux/event_loop.hpp"
#include "platform/linux/neighbour_probe.hpp"

namespace hotpair::daemon {

// So long after a takeover the kernel knows those that traffic goes to; what the node before still
// had on its way has arrived.
constexpr Duration kProbeDelay = 150ms;
constexpr Duration kConflictGrace = 1s;

struct AddressConflict {
  sys::IpAddress address;
  std::string device;
  sys::MacAddress mac{};  // whose it is said to be
};

class NeighbourWatch {
 public:
  struct Needs {
    sys::EventLoop& loop;
    std::function<void(const ProbeOutcome&)> verified;
    std::function<void(const AddressConflict&)> conflict;  // for each claim heard, at most 10/s
    std::function<void(const std::string&)> failed;
  };
  static Result<std::unique_ptr<NeighbourWatch>> start(Needs needs);
  ~NeighbourWatch();
  NeighbourWatch(const NeighbourWatch&) = delete;
  NeighbourWatch& operator=(const NeighbourWatch&) = delete;

  // These are held and were just announced: verify, and watch over them. None: rest.
  void watch(std::vector<OwnedAddress> owned);

 private:
  NeighbourWatch(Needs needs, sys::FileDescriptor wake);
  void serve();
  void take_orders(Instant now);
  void begin_round(Instant now);
  void proceed(Instant now);
  void send(const ProbeRound::Sending& sending);
  void on_word(const sys::NeighbourWord& word, Instant now);
  void wait();

  Needs needs_;
  sys::FileDescriptor wake_;
  std::mutex mutex_;
  std::optional<std::vector<OwnedAddress>> order_;
  bool stopping_ = false;

  // The thread's own.
  std::vector<OwnedAddress> owned_;
  std::optional<sys::NeighbourSocket> socket_;
  std::optional<Instant> begin_at_, next_report_;
  Instant since_{};
  std::optional<ProbeRound> round_;
  std::thread thread_;
};

}  // namespace hotpair::daemon
