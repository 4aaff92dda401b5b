// What an election counts as failed. An interface module fails when a device of it is gone; a
// worker module when its watcher says so through note(): until then it is unknown, which counts as
// healthy.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "agent/core/event.hpp"
#include "agent/daemon/module_word.hpp"
#include "platform/config/config.hpp"

namespace hotpair::daemon {

// A module as status shows it.
struct ModuleRow {
  int slot = 0;
  std::string kind;  // "interface", "command", "unit"
  std::string name;  // the interfaces, the command line or the unit
  ModuleWord word;
  Instant since{};  // of word.state
};

class Modules {
 public:
  using DevicePresent = std::function<bool(const std::string& device)>;
  using Clock = std::function<Instant()>;

  Modules(DevicePresent present, Clock now) : present_(std::move(present)), now_(std::move(now)) {}

  // A worker module that is watched as before keeps its word.
  void configure(const config::Config& config);
  // Looks at the interface modules again.
  void refresh();
  // A watcher's word on a module; of a slot that is not configured it is dropped.
  void note(int slot, const ModuleWord& word);

  agent::ModulesChanged state() const;
  std::vector<ModuleRow> rows() const;

 private:
  struct Watched {
    config::Module module;
    ModuleWord word;
    Instant since{};
  };

  DevicePresent present_;
  Clock now_;
  const config::Config* config_ = nullptr;
  std::map<int, Watched> modules_;  // by slot
};

bool operator==(const agent::ModulesChanged& a, const agent::ModulesChanged& b);

}  // namespace hotpair::daemon
