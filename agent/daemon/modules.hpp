// What an election counts as failed, from the modules' own watchers. An interface module fails when
// a device of it is gone. Other kinds report through note(); until they do they count as healthy.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "agent/core/event.hpp"
#include "platform/config/config.hpp"

namespace hotpair::daemon {

class Modules {
 public:
  using DevicePresent = std::function<bool(const std::string& device)>;

  explicit Modules(DevicePresent present) : present_(std::move(present)) {}

  void configure(const config::Config& config);
  // Looks at the interface modules again.
  void refresh();
  // A watcher's word on a module; `reason` is empty when it is well.
  void note(int slot, std::string reason);

  agent::ModulesChanged state() const;

 private:
  DevicePresent present_;
  const config::Config* config_ = nullptr;
  std::map<int, std::string> failed_;  // slot to reason
};

bool operator==(const agent::ModulesChanged& a, const agent::ModulesChanged& b);

}  // namespace hotpair::daemon
