// The worker modules that are systemd units. One connection to the system bus serves all; without a
// bus, or after it was lost, every unit is `unknown` with the reason, and the bus is tried again
// with back-off. Belongs to the thread of the loop it was given.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/daemon/module_word.hpp"
#include "platform/config/config.hpp"
#include "platform/linux/systemd_bus.hpp"

namespace hotpair::daemon {

constexpr Duration kFirstBusRetry = 1s, kLastBusRetry = 60s;

// What a unit's state means for the election. A state on the way to another (activating, reloading,
// deactivating, or inactive with the job that starts it again queued) keeps the state `before`: a
// `systemctl restart` is no failure. A unit that waits to be restarted after it failed has failed.
ModuleWord word_of_unit(const config::Module& module, const sys::UnitState& unit,
                        ModuleState before);

class UnitWatch {
 public:
  using Say = std::function<void(int slot, const ModuleWord& word)>;

  // `bus_address`: empty for the system bus.
  UnitWatch(sys::EventLoop& loop, std::string bus_address, Say say)
      : loop_(loop), bus_address_(std::move(bus_address)), say_(std::move(say)) {}
  ~UnitWatch();
  UnitWatch(const UnitWatch&) = delete;
  UnitWatch& operator=(const UnitWatch&) = delete;

  void add(const config::Module& module);
  void remove(int slot);

 private:
  struct Watched {
    config::Module module;
    ModuleWord word;
    std::optional<sys::UnitState> state;
  };

  void connect();
  void lost(const std::string& why);
  void changed(const std::string& unit, const sys::UnitState& state);
  void say(Watched& watched, ModuleWord word);
  ModuleWord without_bus(const config::Module& module) const;

  sys::EventLoop& loop_;
  std::string bus_address_;
  Say say_;
  std::map<int, Watched> watched_;
  std::unique_ptr<sys::SystemdBus> bus_;
  std::string trouble_;  // why there is no bus
  sys::TimerId timer_ = 0;
  Duration retry_ = kFirstBusRetry;
};

}  // namespace hotpair::daemon
