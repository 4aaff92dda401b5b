#include "agent/daemon/engine.hpp"

namespace hotpair::daemon {

void Engine::submit(EventBody what) {
  waiting_.push_back(std::move(what));
  if (!running_) drain();
}

void Engine::drain() {
  running_ = true;
  while (!waiting_.empty()) {
    const agent::Event event{clock_(), std::move(waiting_.front())};
    waiting_.pop_front();
    node_.step(event, actions_);
    if (observer_ != nullptr) observer_->stepped(event, actions_, node_);
    perform_all();
  }
  running_ = false;
}

void Engine::reconfigure(const agent::NodeConfig& config) {
  HOTPAIR_ASSERT(!running_);
  running_ = true;
  const Instant now = clock_();
  node_.reconfigure(config, now, actions_);
  if (observer_ != nullptr) observer_->reconfigured(now, config, actions_, node_);
  perform_all();
  drain();
}

void Engine::perform_all() {
  for (const auto& action : actions_) perform_(action);
}

}  // namespace hotpair::daemon
