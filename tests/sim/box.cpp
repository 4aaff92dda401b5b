#include "tests/sim/box.hpp"

#include "tests/sim/world.hpp"

namespace hotpair::simulation {
using namespace agent;

constexpr Duration kWitnessInterval = 200ms;  // as the daemon asks it

Box::Box(World& world, int index, Rng rng)
    : clock(world.timeline.now()), world_(world), index_(index), rng_(rng) {}

Instant Box::local_now() const {
  return clock.local(world_.timeline.now());
}

// By this box's clock, and only if the same agent still runs then.
void Box::after(Duration delay, std::function<void()> what) {
  world_.timeline.after(clock.world(delay), [this, born = incarnation_, what = std::move(what)] {
    if (born == incarnation_ && agent_runs()) what();
  });
}

NodeStatus Box::status() const {
  return node_ ? node_->status(local_now()) : NodeStatus{};
}

void Box::start_agent() {
  if (agent_runs()) return;
  powered_ = true;
  ++incarnation_;
  const Instant now = local_now();
  deadline_at_.reset();
  held_ = false;  // the shell cleans up what an earlier life left behind
  fenced_ = stalled_ = paused_ = exits_ = false;
  waiting_.clear();
  unread_.clear();
  unread_at_.clear();
  addresses_busy_until_ = now;
  dataplane_obeyed_ = 0;
  cipher_ = std::make_unique<ToyCipher>(password, rng_.fork());
  association_ = std::make_unique<Association>(config.self, group, *cipher_);
  node_ = std::make_unique<Node>(config, disk, now);
  sequence_ = 0;
  loop_ran_ = now;
  published_ = Heartbeat{};
  world_.started(*this);
  if (world_.observer != nullptr) world_.observer->started(*this, now);
  deliver({now, DeadlineReached{}});
  after(1ms, [this] { tell_links(); });
  beat();
}

void Box::end_agent() {
  ++incarnation_;
  node_.reset();
  stalled_ = paused_ = false;
  world_.stopped(*this);
}

void Box::kill_agent() {
  if (!agent_runs()) return;
  end_agent();
  // The warden sees the pipe close and takes the addresses away within a moment.
  world_.timeline.after(1ms, [this, born = incarnation_] {
    if (born == incarnation_) held_ = false;
  });
}

void Box::power_off() {
  if (agent_runs()) end_agent();
  ++incarnation_;
  powered_ = false;
  held_ = false;
  clock.restart(world_.timeline.now());
  kill_dataplane();
}

void Box::start_dataplane() {
  if (dataplane.alive || !powered_) return;
  dataplane = Dataplane{};
  dataplane.alive = true;
  world_.dataplanes_changed();
}

void Box::kill_dataplane() {
  dataplane = Dataplane{};
  world_.dataplanes_changed();
  tell_dataplane_state();
}

void Box::tell_dataplane_state() {
  if (!agent_runs()) return;
  ReplicationState state;
  state.dataplane_alive = dataplane.alive;
  state.in_sync = dataplane.alive && dataplane.in_sync;
  state.sessions = dataplane.alive ? sessions : 0;
  deliver({local_now(), DataplaneState{state}});
}

void Box::stall(Duration how_long) {
  if (!responsive()) return;
  stalled_ = true;
  const Instant began = local_now();
  after(fencing_time(), [this, began] {
    if (stalled_ && loop_ran_ <= began) fence();
  });
  after(how_long, [this, how_long] { resume(how_long, false); });
}

void Box::pause(Duration how_long) {
  if (!responsive()) return;
  paused_ = true;
  after(how_long, [this, how_long] { resume(how_long, true); });
}

// The machine was taken away and put back, and its clock knows of it: a virtual machine that was
// moved. It stood still for no time of the world's.
void Box::leap(Duration ahead) {
  if (!responsive()) return;
  clock.leap(world_.timeline.now(), ahead);
  deadline_at_.reset();
  paused_ = true;
  resume(ahead, true);
}

// A virtual machine that is paused: nothing inside can know of it.
void Box::suspend(Duration how_long) {
  if (!responsive()) return;
  paused_ = true;
  after(how_long, [this, how_long] {
    if (!paused_) return;
    clock.leap(world_.timeline.now(), -how_long);
    deadline_at_.reset();
    resume(0ms, true);
  });
}

// As the daemon tells its warden: alone, a node is fenced before a booting peer's hold-down is
// over.
Duration Box::fencing_time() const {
  if (status().peer_alive) return config.detection_time();
  return std::max(config.detection_time(), config.hello_holddown / 2);
}

// The warden: a loop that is older than the peer's patience must not leave addresses behind.
void Box::fence() {
  if (!held_) return;
  held_ = false;
  fenced_ = true;
}

void Box::resume(Duration stood, bool whole_box) {
  if (!stalled_ && !paused_) return;
  if (whole_box && stood >= fencing_time()) fence();
  stalled_ = paused_ = false;
  const Instant now = local_now();
  const bool fenced = fenced_;
  fenced_ = false;
  const std::uint64_t born = incarnation_;
  if (stood >= config.interval) {
    deliver({now, Stalled{stood, fenced}});
    after(kWitnessInterval, [this] {
      if (config.split_brain == SplitBrain::witness) tell_witness();
    });
  }
  while (!unread_.empty() && born == incarnation_) {
    auto [path, frame] = std::move(unread_.front());
    unread_.pop_front();
    receive(path, frame);
  }
  while (!waiting_.empty() && born == incarnation_) {
    Event event = waiting_.front();
    waiting_.pop_front();
    if (!std::holds_alternative<DeadlineReached>(event.what)) deliver({now, event.what});
  }
  if (born == incarnation_ && agent_runs()) deliver({now, DeadlineReached{}});
}

void Box::set_link(std::size_t interface, bool up) {
  if (up)
    links_down.erase(interface);
  else
    links_down.insert(interface);
  tell_links();
}

void Box::set_link(std::size_t interface, const LinkChanged& state) {
  links_of_other_speeds[interface] = state;
  tell_links();
}

void Box::set_management(bool up) {
  management_up = up;
  tell_links();
}

void Box::set_remote(std::size_t monitor, bool reached) {
  const std::uint32_t bit = std::uint32_t{1} << monitor;
  remote_reached = reached ? remote_reached | bit : remote_reached & ~bit;
  if (agent_runs()) deliver({local_now(), RemoteMonitorsChanged{remote_reached}});
}

void Box::set_witness(bool answers) {
  witness_answers = answers;
  if (agent_runs()) tell_witness();
}

void Box::compare_partitions(const char* lacking_here, const char* lacking_there) {
  if (agent_runs()) deliver({local_now(), PartitionsCompared{lacking_here, lacking_there}});
}

// Who stands still asks nothing.
void Box::tell_witness() {
  if (!stalled_ && !paused_) deliver({local_now(), WitnessChanged{witness_answers}});
}

void Box::set_modules(std::uint8_t failed) {
  failed_modules = failed;
  tell_links();
}

void Box::tell_links() {
  if (!agent_runs()) return;
  const Instant now = local_now();
  for (std::size_t i = 0; i < config.data_interfaces.size(); ++i) {
    const auto other = links_of_other_speeds.find(i);
    const bool up = !links_down.contains(i);
    LinkChanged state{0, true, up, up ? 10'000u : 0u, 10'000};
    if (other != links_of_other_speeds.end()) state = other->second;
    state.interface = static_cast<std::uint8_t>(i);
    deliver({now, state});
  }
  deliver({now, ManagementLinkChanged{management_up}});
  if (!config.remote_monitors.empty()) deliver({now, RemoteMonitorsChanged{remote_reached}});
  if (config.split_brain == SplitBrain::witness) tell_witness();
  deliver({now, ModulesChanged{failed_modules, failed_modules ? "worker 3" : "", config.priority}});
  tell_dataplane_state();
}

void Box::command(OperatorCommand::What what) {
  if (agent_runs()) deliver({local_now(), OperatorCommand{what}});
}

void Box::reload(const NodeConfig& wanted) {
  if (agent_runs() && !responsive()) return;
  config = wanted;
  if (!agent_runs()) return;
  const Instant now = local_now();
  node_->reconfigure(config, now, actions_);
  if (world_.observer != nullptr) world_.observer->reconfigured(*this, now, actions_, *node_);
  finish_step();
  tell_links();
}

void Box::deliver(const Event& event) {
  if (stalled_ || paused_) {
    waiting_.push_back(event);
    return;
  }
  step(event);
}

void Box::step(const Event& event) {
  loop_ran_ = local_now();
  if (const auto* order = std::get_if<OperatorCommand>(&event.what))
    exits_ = exits_ || order->what == OperatorCommand::What::shutdown;
  node_->step(event, actions_);
  if (world_.observer != nullptr) world_.observer->stepped(*this, event, actions_, *node_);
  finish_step();
}

void Box::finish_step() {
  // Carrying one out may step again.
  const std::vector<Action> actions(actions_.begin(), actions_.end());
  const std::uint64_t born = incarnation_;
  carry_out(actions);
  if (born != incarnation_ || !agent_runs()) return;
  arm_deadline();
  world_.after_step(*this, actions);
}

void Box::arm_deadline() {
  const auto next = node_->next_deadline();
  if (!next || next == deadline_at_) return;
  deadline_at_ = next;
  world_.timeline.at(clock.world(*next), [this, born = incarnation_, when = *next] {
    // Now and then one that has been overtaken is delivered all the same.
    if (born == incarnation_ && agent_runs() && (when == deadline_at_ || rng_.below(8) == 0)) {
      if (when == deadline_at_) deadline_at_.reset();
      deliver({local_now(), DeadlineReached{}});
    }
  });
}

}  // namespace hotpair::simulation
