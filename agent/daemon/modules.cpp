#include "agent/daemon/modules.hpp"

#include "agent/daemon/node_config.hpp"

namespace hotpair::daemon {

void Modules::configure(const config::Config& config) {
  config_ = &config;
  failed_.clear();
  refresh();
}

void Modules::refresh() {
  for (const auto& module : config_->cluster.modules) {
    if (module.kind != config::Module::Kind::interface) continue;
    std::string reason;
    for (const auto& name : module.interfaces) {
      const auto& device = config_->node.device(name);
      if (reason.empty() && !present_(device))
        reason = "slot " + std::to_string(module.slot) + ": device " + device + " is gone";
    }
    note(module.slot, std::move(reason));
  }
}

void Modules::note(int slot, std::string reason) {
  if (reason.empty()) {
    failed_.erase(slot);
  } else {
    failed_[slot] = std::move(reason);
  }
}

agent::ModulesChanged Modules::state() const {
  agent::ModulesChanged state;
  state.failed = static_cast<std::uint8_t>(failed_.size());  // slots are 1-63
  if (!failed_.empty()) state.first_failed = failed_.begin()->second;
  state.priority = module_priority(*config_);
  return state;
}

bool operator==(const agent::ModulesChanged& a, const agent::ModulesChanged& b) {
  return a.failed == b.failed && a.first_failed == b.first_failed && a.priority == b.priority;
}

}  // namespace hotpair::daemon
