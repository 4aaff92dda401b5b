// The worker modules of the configuration, watched in a thread of their own without real-time
// priority: starting a program reads the disk, and a bus may be slow; the main loop waits for
// neither. Their words come back in the main loop.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "agent/daemon/module_word.hpp"
#include "platform/config/config.hpp"
#include "platform/linux/event_loop.hpp"

namespace hotpair::daemon {

bool same_watch(const config::Module& a, const config::Module& b);

class WorkerModules {
 public:
  using Say = std::function<void(int slot, const ModuleWord& word)>;  // in the main loop

  // `bus_address`: empty for the system bus. `main` must outlive this.
  WorkerModules(sys::EventLoop& main, Say say, std::string bus_address = {});
  ~WorkerModules();  // what runs is killed; nothing is said any more
  WorkerModules(const WorkerModules&) = delete;
  WorkerModules& operator=(const WorkerModules&) = delete;

  // Modules that stay as they were go on undisturbed; of the others nothing earlier counts.
  Status configure(const std::vector<config::Module>& modules);

 private:
  struct Watchers;

  void serve();
  void from_watcher(int slot, std::uint64_t generation, const ModuleWord& word);

  struct Configured {
    config::Module module;
    std::uint64_t generation = 0;  // a word of an earlier module of that slot is too late
  };

  sys::EventLoop& main_;
  Say say_;
  std::string bus_address_;
  std::map<int, Configured> configured_;
  std::uint64_t last_generation_ = 0;
  std::shared_ptr<WorkerModules*> self_;  // null once this is gone; read in the main loop only
  std::unique_ptr<sys::EventLoop> loop_;
  std::unique_ptr<Watchers> watchers_;  // the thread's
  std::thread thread_;                  // last: it uses all of the above
};

}  // namespace hotpair::daemon
