// Drives the core: one event after the other with the time of its turn, each action carried out in
// order, and what comes back from them (also from within) stepped next, until nothing is left.
#pragma once

#include <deque>
#include <functional>

#include "agent/core/node.hpp"
#include "agent/daemon/links.hpp"

namespace hotpair::daemon {

// Sees every step before its actions are carried out.
class StepObserver {
 public:
  virtual ~StepObserver() = default;
  virtual void stepped(const agent::Event& event, const agent::Actions& actions,
                       const agent::Node& after) = 0;
  virtual void reconfigured(Instant at, const agent::NodeConfig& config,
                            const agent::Actions& actions, const agent::Node& after) = 0;
};

class Engine {
 public:
  using Perform = std::function<void(const agent::Action&)>;
  using Clock = std::function<Instant()>;

  // `observer` may be null, and outlives the engine.
  Engine(agent::Node node, Clock clock, Perform perform, StepObserver* observer = nullptr)
      : node_(std::move(node)),
        clock_(std::move(clock)),
        perform_(std::move(perform)),
        observer_(observer) {}

  // Steps `what` now; when called while an action is carried out, right after the present step.
  void submit(EventBody what);
  void reconfigure(const agent::NodeConfig& config);

  std::optional<Instant> next_deadline() const { return node_.next_deadline(); }
  agent::NodeStatus status() const { return node_.status(clock_()); }
  agent::NodeGlance glance() const { return node_.glance(); }
  const agent::Heartbeat& peer() const { return node_.peer(); }
  // Rehearsals on a copy of the node's state (agent/core/what_if.hpp).
  agent::WhatIf what_if(std::span<const agent::Assumption> assumptions) const {
    return node_.what_if(assumptions, clock_());
  }
  agent::FailoverPlan plan_failover(bool by_force) const {
    return node_.plan_failover(by_force, clock_());
  }

 private:
  void drain();
  void perform_all();

  agent::Node node_;
  Clock clock_;
  Perform perform_;
  StepObserver* observer_;
  std::deque<EventBody> waiting_;
  agent::Actions actions_;
  bool running_ = false;
};

}  // namespace hotpair::daemon
