#include "tests/sim/box.hpp"

#include "agent/core/heartbeat_wire.hpp"
#include "tests/sim/world.hpp"

namespace hotpair::simulation {
using namespace agent;

Box::Box(World& world, int index, Rng rng) : world_(world), index_(index), rng_(rng) {}

template <typename F>
void Box::after(Duration delay, F what) {
  world_.timeline.after(delay, [this, born = incarnation_, what] {
    if (born == incarnation_ && agent_runs()) what();
  });
}

NodeStatus Box::status() const {
  return node_ ? node_->status(world_.timeline.now()) : NodeStatus{};
}

void Box::start_agent() {
  if (agent_runs()) return;
  powered_ = true;
  ++incarnation_;
  const Instant now = world_.timeline.now();
  deadline_at_.reset();
  held_ = false;  // the shell cleans up what an earlier life left behind
  fenced_ = stalled_ = paused_ = false;
  waiting_.clear();
  unread_.clear();
  unread_at_.clear();
  addresses_busy_until_ = now;
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
  deliver({world_.timeline.now(), DataplaneState{state}});
}

void Box::stall(Duration how_long) {
  if (!responsive()) return;
  stalled_ = true;
  const Instant began = world_.timeline.now();
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
  const Instant now = world_.timeline.now();
  const bool fenced = fenced_;
  fenced_ = false;
  const std::uint64_t born = incarnation_;
  if (stood >= config.interval) deliver({now, Stalled{stood, fenced}});
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

void Box::set_management(bool up) {
  management_up = up;
  tell_links();
}

void Box::set_remote(std::size_t monitor, bool reached) {
  const std::uint32_t bit = std::uint32_t{1} << monitor;
  remote_reached = reached ? remote_reached | bit : remote_reached & ~bit;
  if (agent_runs()) deliver({world_.timeline.now(), RemoteMonitorsChanged{remote_reached}});
}

void Box::set_witness(bool answers) {
  witness_answers = answers;
  if (agent_runs()) deliver({world_.timeline.now(), WitnessChanged{answers}});
}

void Box::set_modules(std::uint8_t failed) {
  failed_modules = failed;
  tell_links();
}

void Box::tell_links() {
  if (!agent_runs()) return;
  const Instant now = world_.timeline.now();
  for (std::size_t i = 0; i < config.data_interfaces.size(); ++i) {
    const bool up = !links_down.contains(i);
    deliver({now, LinkChanged{static_cast<std::uint8_t>(i), true, up, up ? 10'000u : 0u, 10'000}});
  }
  deliver({now, ManagementLinkChanged{management_up}});
  if (!config.remote_monitors.empty()) deliver({now, RemoteMonitorsChanged{remote_reached}});
  if (config.split_brain == SplitBrain::witness) deliver({now, WitnessChanged{witness_answers}});
  deliver({now, ModulesChanged{failed_modules, failed_modules ? "worker 3" : "", config.priority}});
  tell_dataplane_state();
}

void Box::command(OperatorCommand::What what) {
  if (agent_runs()) deliver({world_.timeline.now(), OperatorCommand{what}});
}

void Box::reload(const NodeConfig& wanted) {
  if (agent_runs() && !responsive()) return;
  config = wanted;
  if (!agent_runs()) return;
  const Instant now = world_.timeline.now();
  node_->reconfigure(config, now, actions_);
  if (world_.observer != nullptr) world_.observer->reconfigured(*this, now, actions_, *node_);
  finish_step();
  tell_links();
}

void Box::receive(PathId path, Bytes frame) {
  if (!agent_runs() || !config.paths[path].configured) return;
  if (path == kSessionSyncPath && !dataplane.alive) return;
  const Instant now = world_.timeline.now();
  if (stalled_ || paused_) {
    // The socket's buffer: what does not fit is lost.
    if (unread_.size() < 400) {
      unread_.emplace_back(path, std::vector<std::uint8_t>(frame.begin(), frame.end()));
      unread_at_.push_back(now);
    }
    return;
  }
  Instant heard_at = now;
  if (!unread_at_.empty()) {
    heard_at = unread_at_.front();
    unread_at_.pop_front();
  }
  std::array<std::uint8_t, kMaxBodySize> body{};
  const auto opened = association_->open(path, frame, body);
  if (!opened.ok()) return mismatch(path, body, opened.error());
  const auto heartbeat = decode_heartbeat(Bytes(body).first(opened->body_size));
  HOTPAIR_ASSERT(heartbeat.ok());
  deliver({now, HeartbeatReceived{path, heard_at, opened->new_association, *heartbeat}});
}

void Box::mismatch(PathId path, Bytes body, const RejectedFrame& rejected) {
  using Kind = MismatchSeen::Kind;
  MismatchSeen seen;
  seen.path = path;
  seen.heard_at = world_.timeline.now();
  seen.proven = rejected.proven;
  switch (rejected.reason) {
    case Rejection::wrong_group:
      seen.kind = Kind::wrong_group;
      break;
    case Rejection::wrong_password:
      seen.kind = Kind::wrong_password;
      break;
    case Rejection::same_chassis_id:
      seen.kind = Kind::same_chassis_id;
      break;
    case Rejection::wrong_path:
      seen.kind = Kind::wrong_path;
      break;
    case Rejection::not_echoed:
      seen.kind = Kind::not_associated;
      break;
    default:
      return;
  }
  if (rejected.proven) {
    const auto said = decode_heartbeat(body.first(rejected.body_size));
    if (said.ok()) seen.role = said->role;
  }
  seen.detail = std::string(to_string(rejected.reason)) + " " + std::to_string(rejected.value);
  deliver({seen.heard_at, seen});
}

void Box::deliver(const Event& event) {
  if (stalled_ || paused_) {
    waiting_.push_back(event);
    return;
  }
  step(event);
}

void Box::step(const Event& event) {
  loop_ran_ = world_.timeline.now();
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
  world_.timeline.at(*next, [this, born = incarnation_, when = *next] {
    // Now and then one that has been overtaken is delivered all the same.
    if (born == incarnation_ && agent_runs() && (when == deadline_at_ || rng_.below(8) == 0)) {
      if (when == deadline_at_) deadline_at_.reset();
      deliver({world_.timeline.now(), DeadlineReached{}});
    }
  });
}

void Box::carry_out(const std::vector<Action>& actions) {
  const std::uint64_t born = incarnation_;
  for (const Action& action : actions) {
    world_.tell(*this, action);
    std::visit([&](const auto& a) { carry_out(a); }, action);
    if (born != incarnation_) return;
  }
}

// A request takes its time, and while the main loop stands still nothing is carried out.
void Box::answer_later(ActionId id, const Fault& fault, std::function<void()> effect) {
  const bool silent = rng_.below(1000) < fault.silent_permille;
  const bool ok = rng_.below(1000) >= fault.fail_permille;
  complete_after(fault.took, [this, id, silent, ok, took = fault.took, effect] {
    if (ok && !silent) effect();
    if (!silent)
      deliver({world_.timeline.now(), ActionDone{id, ok, took, ok ? "" : "simulated failure"}});
  });
}

void Box::complete_after(Duration delay, std::function<void()> what) {
  after(delay, [this, what] {
    if (stalled_ || paused_) return complete_after(1ms, what);
    what();
  });
}

void Box::carry_out(const PersistState& action) {
  answer_later(action.id, faults.persist, [this, state = action.state] { disk = state; });
}

// Addresses are changed in order, one request after the other.
void Box::change_addresses(ActionId id, Fault fault, bool hold) {
  addresses_busy_until_ = std::max(addresses_busy_until_, world_.timeline.now()) + fault.took;
  fault.took = addresses_busy_until_ - world_.timeline.now();
  answer_later(id, fault, [this, hold, order = ++address_requests_] {
    if (order < addresses_as_of_) return;
    addresses_as_of_ = order;
    held_ = hold;
  });
}

void Box::carry_out(const WithdrawAddresses& action) {
  change_addresses(action.id, faults.withdraw, false);
}

void Box::carry_out(const ClaimAddresses& action) {
  change_addresses(action.id, faults.claim, true);
}

void Box::carry_out(const SetDataplaneRole& action) {
  answer_later(action.id, faults.dataplane, [this, action] {
    if (!dataplane.alive) return;
    dataplane.role = action.role;
    dataplane.epoch = action.epoch;
    world_.dataplanes_changed();
  });
}

void Box::carry_out(const DrainDataplane& action) {
  answer_later(action.id, faults.drain, [] {});
}

void Box::carry_out(const PublishHeartbeat& action) {
  published_ = action.heartbeat;
  if (action.at_once && !paused_) send_heartbeat();
}

void Box::carry_out(const Exit&) {
  end_agent();
}

void Box::carry_out(const Announce&) {
  world_.announced(*this);
}

void Box::beat() {
  if (!paused_) send_heartbeat();
  after(config.interval, [this] { beat(); });
}

namespace {

// Sections of kinds that are not taken yet, one of them empty.
std::size_t say_more(MutableBytes out) {
  ByteWriter writer(out);
  for (const std::uint8_t kind : {std::uint8_t{201}, std::uint8_t{202}}) {
    writer.u8(kind);
    writer.u8(0);
    writer.u16(kind == 201 ? 5 : 0);
    if (kind == 201) writer.put("extra");
  }
  return writer.size();
}

}  // namespace

void Box::send_heartbeat() {
  std::array<std::uint8_t, kMaxBodySize> body{};
  std::array<std::uint8_t, kHeartbeatHeaderSize + kMaxBodySize + kTagSize> frame{};
  const std::size_t said = encode_heartbeat(published_, body);
  const std::size_t size = said + (next_version ? say_more(MutableBytes(body).subspan(said)) : 0);
  const Duration age = stalled_ ? world_.timeline.now() - loop_ran_ : Duration{};
  stamp_heartbeat(body, ++sequence_, static_cast<std::uint32_t>(to_us(age)));
  for (PathId path = 0; path < kMaxPaths; ++path) {
    if (!config.paths[path].configured || (path == kSessionSyncPath && !dataplane.alive)) continue;
    const Bytes text = Bytes(body).first(size);
    std::size_t sealed = association_->seal(path, text, frame);
    world_.network.send(index_, path, Bytes(frame).first(sealed));
    if (const auto greeting = association_->greet(path, text, frame))
      world_.network.send(index_, path, Bytes(frame).first(*greeting));
  }
}

}  // namespace hotpair::simulation
