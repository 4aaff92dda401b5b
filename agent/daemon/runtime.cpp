// Turns of the main loop.
#include "agent/daemon/runtime.hpp"

#include <algorithm>
#include <csignal>

#include "agent/core/cluster_network.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/sd_notify.hpp"

namespace hotpair::daemon {

int Runtime::run() {
  log_.notice("started", "hotpaird " HOTPAIR_VERSION " runs as chassis " +
                             std::to_string(config_.node.chassis_id) + " of group " +
                             std::to_string(config_.cluster.group_id));
  sys::notify_ready("init");
  watchdog_ = sys::watchdog_interval();
  last_wake_ = sys::now();
  loop_->on_tick([this] { on_wake(); });
  loop_->on_deadline([this] { engine_->submit(agent::DeadlineReached{}); });
  after_turn();
  while (loop_->run_once(std::nullopt)) after_turn();
  leave();
  return exit_status_;
}

// Before anything else of a turn: what was missed must be known before what waited is read.
void Runtime::on_wake() {
  const Instant now = sys::now();
  const bool fenced = warden_ != nullptr && warden_->was_fenced();
  Duration gap = now - std::exchange(last_wake_, now);
  if (fenced) gap = std::max(gap, plan_->node.detection_time());  // a warden measured at least it
  if (!fenced && gap <= plan_->node.detection_time()) return;
  log_.warning("stalled",
               "the main loop stood still for " + std::to_string(to_ms(gap)) + " ms" +
                   (fenced ? "; a warden has withdrawn the addresses" : ""),
               {{"ms", to_ms(gap)}, {"fenced", fenced}});
  if (fenced) {
    addresses_->fenced();
    neighbours_->withdrawn();
  }
  engine_->submit(agent::Stalled{gap, fenced});
}

void Runtime::after_turn() {
  loop_->set_deadline(engine_->next_deadline());
  if (reporter_->waiting() && !engine_->glance().in_transaction) reporter_->settle();
  companions_->follow(pair_view());
  const Instant now = sys::now();
  if (recorder_) recorder_->after_turn(now);
  tick_ns_.store(now.time_since_epoch().count());
  if (warden_ != nullptr) warden_->tick(now);
  tick(now);
}

PairView Runtime::pair_view() const {
  const agent::NodeGlance node = engine_->glance();
  return {
      .role = node.role,
      .epoch = node.epoch.number,
      .in_transaction = node.in_transaction,
      .addresses_held = node.addresses_held,
      .peer_alive = node.peer_alive,
      .peer_role = node.peer_role,
      .peer_version = engine_->peer().version,
      .in_sync = node.in_sync,
      .cluster_path = agent::choose_cluster_path(
          node.paths_alive, node.peer_alive ? node.peer_paths_alive : 0, plan_->heartbeats.size()),
      .keys_generation =
          association_->with([](auto& association) { return association.generation(); })};
}

// Alone, this node is fenced before a booting peer's hold-down is over; there is no hurry
// otherwise.
Duration Runtime::fencing_time() const {
  const agent::NodeConfig& node = plan_->node;
  if (engine_->glance().peer_alive) return node.detection_time();
  return std::max(node.detection_time(), node.hello_holddown / 2);
}

// The loop turns often enough that a gap between two turns means a stall. Heartbeats mostly see to
// that, a little more often.
void Runtime::tick(Instant now) {
  loop_->wake_by(now + std::clamp<Duration>(plan_->node.detection_time() / 3, 1ms, 100ms));
  if (warden_ != nullptr) warden_->set_detection(fencing_time());
  if (watchdog_ && now >= next_watchdog_) {
    sys::notify_watchdog();
    next_watchdog_ = now + *watchdog_ / 3;
  }
}

void Runtime::on_signal(int signal) {
  if (signal == SIGHUP)
    return reload([this](const nlohmann::json& reply) {
      if (!reply["ok"].get<bool>()) log_.error("reload-refused", reply["error"].get<std::string>());
    });
  if (shutdown_asked_) return loop_->stop();  // asked twice: at once
  shutdown_asked_ = sys::now();
  sys::notify_stopping();
  loop_->call_at(*shutdown_asked_ + kShutdownLimit, [this] { loop_->stop(); });
  engine_->submit(agent::OperatorCommand{agent::OperatorCommand::What::shutdown});
}

void Runtime::on_links_readable() {
  bool came_or_went = false;
  link_monitor_->on_change([this, &came_or_went](const sys::LinkChange& change) {
    came_or_went |= change.what != sys::LinkChange::What::changed;
    if (link_burst_) link_burst_->on_event(change.link.ifindex);
  });
  const auto handled = link_monitor_->handle_readable();
  link_monitor_->on_change({});
  if (!handled) {
    log_.error("links-lost", "cannot follow the devices any more: " + handled.error().message);
    exit_status_ = kExitFailed;
    return on_signal(SIGTERM);
  }
  devices_changed(came_or_went);
  watch_new_vrf_members();
}

void Runtime::devices_changed(bool came_or_went) {
  const auto before = links_->data();
  links_->refresh();
  modules_->refresh();
  tell_modules();
  ports_->refresh();
  if (came_or_went) {
    prepare_devices();
    addresses_->on_devices_changed();
  }
  addresses_->on_links_changed();
  // A link that has come back may lead to a switch that has forgotten us.
  const auto& after = links_->data();
  for (std::size_t i = 0; addresses_->claimed() && i < after.size(); ++i)
    if (after[i].up && !before[i].up) return announce();
}

// A device that joined the VRF of a logical system is watched from now on; one that left, or is
// gone, stays watched until the configuration is read again: it may be what has failed.
void Runtime::watch_new_vrf_members() {
  const auto& watched = plan_->data_interfaces;
  const auto is_watched = [&](const std::string& device) {
    return std::any_of(watched.begin(), watched.end(),
                       [&](const auto& interface) { return interface.device == device; });
  };
  const VrfMembers now_and_before = [&](const std::string& vrf) {
    auto members = members_of_vrf(*link_monitor_, vrf);
    for (const auto& interface : watched)
      if (interface.vrf == vrf &&
          std::find(members.begin(), members.end(), interface.device) == members.end())
        members.push_back(interface.device);
    return members;
  };
  bool joined = false;
  for (const auto& system : config_.cluster.logical_systems)
    for (const auto& device : members_of_vrf(*link_monitor_, config_.node.device(system.vrf)))
      joined = joined || !is_watched(device);
  if (!joined) return;
  auto plan = make_plan(
      config_, [this](const std::string& device) { return is_lag(link_monitor_->find(device)); },
      now_and_before);
  if (!plan) return log_.error("vrf-members-not-watched", plan.error().message);
  take_plan(config_, std::make_unique<NodePlan>(std::move(plan).value()));
}

void Runtime::watch_modules() {
  modules_->configure(config_);
  told_modules_.reset();
  if (auto watched = worker_modules_->configure(config_.cluster.modules); !watched)
    log_.error("modules-not-watched", watched.error().message);
}

void Runtime::watch_the_outside() {
  remote_monitors_->configure(config_);
  witness_->configure(config_.cluster.election.witness);
}

void Runtime::tell_modules() {
  const auto state = modules_->state();
  if (told_modules_ && *told_modules_ == state) return;
  told_modules_ = state;
  engine_->submit(state);
}

}  // namespace hotpair::daemon
