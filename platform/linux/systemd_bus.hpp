// The state of systemd units, told as it changes: sd-bus on an event loop, no call waits. Sources:
// org.freedesktop.systemd1(5), sd_bus_get_fd(3).
//
// Belongs to the loop's thread. A bus that is lost, refuses, or does not answer is told once as
// `lost`; the object is then of no more use, and whoever made it makes a new one later. It must not
// be destroyed from inside a callback: post() that.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "platform/base/result.hpp"
#include "platform/linux/event_loop.hpp"

namespace hotpair::sys {

struct UnitState {
  std::string load_state;    // loaded, not-found, masked, error, ...
  std::string active_state;  // active, reloading, inactive, failed, activating, deactivating
  std::string sub_state;     // running, exited, auto-restart, dead, ...
  bool job_pending = false;  // a start, stop or restart is queued or under way
  friend bool operator==(const UnitState&, const UnitState&) = default;
};

class SystemdBus {
 public:
  struct Callbacks {
    std::function<void(const std::string& unit, const UnitState& state)> changed;
    std::function<void(const std::string& why)> lost;
  };

  // `address`: empty for the system bus; a D-Bus address in tests.
  static Result<std::unique_ptr<SystemdBus>> connect(EventLoop& loop, const std::string& address,
                                                     Callbacks callbacks);
  ~SystemdBus();

  // Tells the unit's state once it is known, and then each change of it.
  Status watch(const std::string& unit);

 private:
  struct State;
  explicit SystemdBus(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace hotpair::sys
