#include "agent/daemon/worker_modules.hpp"

#include <optional>

#include "agent/daemon/check_command.hpp"
#include "agent/daemon/unit_watch.hpp"
#include "platform/linux/scheduling.hpp"

namespace hotpair::daemon {

// What lives in the thread. A unit's generation is looked up when it speaks.
struct WorkerModules::Watchers {
  using Tell = std::function<void(int slot, std::uint64_t generation, const ModuleWord& word)>;

  Watchers(sys::EventLoop& l, const std::string& bus_address, Tell t)
      : loop(l),
        runner(l),
        units(l, bus_address,
              [this](int slot, const ModuleWord& word) { tell(slot, generations[slot], word); }),
        tell(std::move(t)) {}

  void start(const config::Module& module, std::uint64_t generation) {
    generations[module.slot] = generation;
    if (!module.unit.empty()) return units.add(module);
    checks[module.slot] = std::make_unique<CheckCommand>(
        loop, runner, module, [this, slot = module.slot, generation](const ModuleWord& word) {
          tell(slot, generation, word);
        });
  }
  void stop(int slot) {
    units.remove(slot);
    checks.erase(slot);
    generations.erase(slot);
  }

  sys::EventLoop& loop;
  sys::ProcessRunner runner;
  std::map<int, std::uint64_t> generations;
  UnitWatch units;
  std::map<int, std::unique_ptr<CheckCommand>> checks;
  Tell tell;
};

bool same_watch(const config::Module& a, const config::Module& b) {
  return a.slot == b.slot && a.kind == b.kind && a.unit == b.unit && a.command == b.command &&
         a.interval == b.interval && a.timeout == b.timeout && a.rise == b.rise && a.fall == b.fall;
}

WorkerModules::WorkerModules(sys::EventLoop& main, Say say, std::string bus_address)
    : main_(main),
      say_(std::move(say)),
      bus_address_(std::move(bus_address)),
      self_(std::make_shared<WorkerModules*>(this)) {}

WorkerModules::~WorkerModules() {
  *self_ = nullptr;
  if (!thread_.joinable()) return;
  loop_->post([this] { loop_->stop(); });
  thread_.join();
}

Status WorkerModules::configure(const std::vector<config::Module>& modules) {
  std::map<int, Configured> wanted;
  for (const auto& module : modules) {
    if (module.kind != config::Module::Kind::worker) continue;
    const auto known = configured_.find(module.slot);
    const bool stays = known != configured_.end() && same_watch(known->second.module, module);
    wanted[module.slot] = stays ? known->second : Configured{module, ++last_generation_};
  }
  if (!loop_ && wanted.empty()) return Ok{};
  if (!loop_) {
    auto loop = sys::EventLoop::create();
    if (!loop) return fail(loop.error());
    loop_ = std::move(loop).value();
    thread_ = std::thread([this] { serve(); });
  }
  const auto replaced = [](const auto& in, const auto& entry) {
    const auto there = in.find(entry.first);
    return there == in.end() || there->second.generation != entry.second.generation;
  };
  for (const auto& entry : configured_)
    if (replaced(wanted, entry)) loop_->post([this, slot = entry.first] { watchers_->stop(slot); });
  for (const auto& entry : wanted)
    if (replaced(configured_, entry))
      loop_->post(
          [this, start = entry.second] { watchers_->start(start.module, start.generation); });
  configured_ = std::move(wanted);
  return Ok{};
}

void WorkerModules::serve() {
  sys::set_thread_name("modules");
  watchers_ = std::make_unique<Watchers>(
      *loop_, bus_address_, [this](int slot, std::uint64_t generation, const ModuleWord& word) {
        main_.post([self = self_, slot, generation, word] {
          if (*self != nullptr) (*self)->from_watcher(slot, generation, word);
        });
      });
  loop_->run();
  watchers_.reset();
}

void WorkerModules::from_watcher(int slot, std::uint64_t generation, const ModuleWord& word) {
  const auto known = configured_.find(slot);
  if (known != configured_.end() && known->second.generation == generation) say_(slot, word);
}

}  // namespace hotpair::daemon
