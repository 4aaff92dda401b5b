#include "agent/daemon/modules.hpp"

#include "agent/daemon/node_config.hpp"
#include "agent/daemon/worker_modules.hpp"
#include "platform/base/words.hpp"

namespace hotpair::daemon {
namespace {

using config::Module;

ModuleRow row_of(const Module& module) {
  if (module.kind == Module::Kind::interface)
    return {module.slot, "interface", joined(module.interfaces), {}, {}};
  if (!module.unit.empty()) return {module.slot, "unit", module.unit, {}, {}};
  return {module.slot, "command", joined(module.command, " "), {}, {}};
}

ModuleWord before_any_word(const Module& module) {
  if (module.kind == Module::Kind::interface) return {ModuleState::good, {}, {}};
  return {ModuleState::unknown, "slot " + std::to_string(module.slot) + ": not checked yet", {}};
}

}  // namespace

void Modules::configure(const config::Config& config) {
  config_ = &config;
  auto before = std::move(modules_);
  modules_.clear();
  for (const auto& module : config.cluster.modules) {
    const auto known = before.find(module.slot);
    const bool stays = known != before.end() && same_watch(known->second.module, module);
    modules_[module.slot] = stays ? Watched{module, known->second.word, known->second.since}
                                  : Watched{module, before_any_word(module), now_()};
  }
  refresh();
}

void Modules::refresh() {
  for (const auto& [slot, watched] : modules_) {
    if (watched.module.kind != Module::Kind::interface) continue;
    ModuleWord word{ModuleState::good, {}, {}};
    for (const auto& name : watched.module.interfaces) {
      const auto& device = config_->node.device(name);
      if (present_(device)) continue;
      word = {ModuleState::failed,
              "slot " + std::to_string(slot) + ": device " + device + " is gone",
              {}};
      break;
    }
    note(slot, word);
  }
}

void Modules::note(int slot, const ModuleWord& word) {
  const auto found = modules_.find(slot);
  if (found == modules_.end()) return;
  if (found->second.word.state != word.state) found->second.since = now_();
  found->second.word = word;
}

agent::ModulesChanged Modules::state() const {
  agent::ModulesChanged state;
  for (const auto& [slot, watched] : modules_) {
    if (watched.word.state != ModuleState::failed) continue;
    if (state.failed++ == 0) state.first_failed = watched.word.reason;  // slots are 1-63
  }
  state.priority = module_priority(*config_);
  return state;
}

std::vector<ModuleRow> Modules::rows() const {
  std::vector<ModuleRow> rows;
  for (const auto& [slot, watched] : modules_) {
    ModuleRow row = row_of(watched.module);
    row.word = watched.word;
    row.since = watched.since;
    rows.push_back(std::move(row));
  }
  return rows;
}

bool operator==(const agent::ModulesChanged& a, const agent::ModulesChanged& b) {
  return a.failed == b.failed && a.first_failed == b.first_failed && a.priority == b.priority;
}

}  // namespace hotpair::daemon
