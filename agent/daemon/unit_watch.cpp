#include "agent/daemon/unit_watch.hpp"

#include <algorithm>

#include "platform/linux/clock.hpp"

namespace hotpair::daemon {
namespace {

std::string named(const config::Module& module) {
  return "slot " + std::to_string(module.slot) + " (" + module.unit + ")";
}

bool on_its_way(const sys::UnitState& unit) {
  const std::string& active = unit.active_state;
  if (active == "activating") return unit.sub_state != "auto-restart";
  return active == "reloading" || active == "deactivating" || active == "refreshing" ||
         active == "maintenance" || (active == "inactive" && unit.job_pending);
}

}  // namespace

ModuleWord word_of_unit(const config::Module& module, const sys::UnitState& unit,
                        ModuleState before) {
  ModuleWord word;
  const std::string state = unit.active_state + " (" + unit.sub_state + ")";
  if (!unit.load_state.empty() && unit.load_state != "loaded" && unit.active_state != "active") {
    word.state = ModuleState::failed;
    word.reason = named(module) + ": " + unit.load_state;
  } else if (unit.active_state == "active") {
    word.state = ModuleState::good;
  } else if (on_its_way(unit)) {
    word.state = before;
    if (before != ModuleState::good) word.reason = named(module) + ": " + state;
  } else {
    word.state = ModuleState::failed;
    word.reason = named(module) + ": " + state;
  }
  return word;
}

UnitWatch::~UnitWatch() {
  loop_.cancel(timer_);
}

void UnitWatch::add(const config::Module& module) {
  Watched& watched = watched_[module.slot];
  watched = {module, {}, {}};
  if (!bus_ && timer_ == 0) return connect();
  if (!bus_) return say(watched, without_bus(module));
  for (const auto& [slot, other] : watched_)
    if (slot != module.slot && other.module.unit == module.unit && other.state) {
      watched.state = other.state;  // the bus has told of it already
      return say(watched, word_of_unit(module, *watched.state, ModuleState::unknown));
    }
  if (auto asked = bus_->watch(module.unit); !asked) lost(asked.error().message);
}

// The bus goes on telling of a unit that nobody asks for any more: it is not listened to.
void UnitWatch::remove(int slot) {
  watched_.erase(slot);
}

void UnitWatch::connect() {
  timer_ = 0;
  if (watched_.empty()) return;
  auto bus = sys::SystemdBus::connect(
      loop_, bus_address_,
      {[this](const auto& unit, const auto& state) { changed(unit, state); },
       [this](const std::string& why) { lost(why); }});
  if (!bus) return lost(bus.error().message);
  bus_ = std::move(bus).value();
  trouble_.clear();
  for (auto& [slot, watched] : watched_) {
    if (!bus_) return;
    if (auto asked = bus_->watch(watched.module.unit); !asked) return lost(asked.error().message);
  }
}

void UnitWatch::lost(const std::string& why) {
  trouble_ = why;
  // Not from inside its own callback.
  if (bus_)
    loop_.post(
        [old = std::shared_ptr<sys::SystemdBus>(std::move(bus_))]() mutable { old.reset(); });
  bus_.reset();
  for (auto& [slot, watched] : watched_) {
    watched.state.reset();
    say(watched, without_bus(watched.module));
  }
  if (timer_ != 0) return;
  timer_ = loop_.call_at(sys::now() + retry_, [this] { connect(); });
  retry_ = std::min(2 * retry_, kLastBusRetry);
}

void UnitWatch::changed(const std::string& unit, const sys::UnitState& state) {
  retry_ = kFirstBusRetry;
  for (auto& [slot, watched] : watched_) {
    if (watched.module.unit != unit) continue;
    watched.state = state;
    say(watched, word_of_unit(watched.module, state, watched.word.state));
  }
}

void UnitWatch::say(Watched& watched, ModuleWord word) {
  if (word == watched.word) return;
  watched.word = std::move(word);
  say_(watched.module.slot, watched.word);
}

ModuleWord UnitWatch::without_bus(const config::Module& module) const {
  return {ModuleState::unknown,
          named(module) + ": not watched, " + (trouble_.empty() ? "no bus yet" : trouble_),
          {}};
}

}  // namespace hotpair::daemon
