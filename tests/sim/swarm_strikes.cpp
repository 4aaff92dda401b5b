// What strikes the pair, one function a kind.
#include "tests/sim/swarm_run.hpp"

namespace hotpair::simulation {
using namespace agent;

void Swarm::cut_cable() {
  const PathId path = any_path();
  const Duration time = lasting(3s);
  world_.note(Fact::cable_cut);
  say("cable " + std::to_string(path) + " cut for " + std::to_string(to_ms(time)) + " ms");
  for (int from : {0, 1}) world_.network.cable(from, path).cut = true;
  later(time, [this, path] {
    for (int from : {0, 1}) world_.network.cable(from, path).cut = false;
    world_.dataplanes_changed();
  });
}

void Swarm::cut_one_way() {
  const int from = any_chassis() - 1;
  const bool all = rng_.chance(1, 2);
  const PathId only = any_path();
  world_.note(Fact::cut_one_way);
  say("from node " + std::to_string(from + 1) + " nothing arrives on " +
      (all ? "any path" : "path " + std::to_string(only)));
  for (PathId path = 0; path < kMaxPaths; ++path)
    if (all || path == only) world_.network.cable(from, path).cut = true;
  later(lasting(3s), [this, from] {
    for (PathId path = 0; path < kMaxPaths; ++path) world_.network.cable(from, path).cut = false;
  });
}

void Swarm::cut_everything() {
  world_.note(Fact::all_cut);
  say("all cables cut");
  for (int from : {0, 1})
    for (PathId path = 0; path < kMaxPaths; ++path) world_.network.cable(from, path).cut = true;
  later(lasting(2s), [this] {
    for (int from : {0, 1})
      for (PathId path = 0; path < kMaxPaths; ++path) world_.network.cable(from, path).cut = false;
  });
}

void Swarm::worsen_cable() {
  Cable& cable = world_.network.cable(any_chassis() - 1, any_path());
  cable.delay = rng_.chance(1, 2) ? up_to(20ms) : Duration(100us);
  cable.jitter = rng_.chance(1, 2) ? up_to(30ms) : Duration{};
  cable.loss_permille = rng_.chance(1, 2) ? static_cast<unsigned>(rng_.below(300)) : 0;
  cable.duplicate_permille = rng_.chance(1, 2) ? static_cast<unsigned>(rng_.below(500)) : 0;
}

void Swarm::kill_agent() {
  Box& box = any_box();
  if (box.agent_runs()) world_.note(Fact::agent_killed);
  say(name(box) + ": agent killed");
  box.kill_agent();
  later(lasting(2s), [&box] { box.start_agent(); });
}

void Swarm::power_loss() {
  Box& box = any_box();
  if (box.agent_runs()) world_.note(Fact::power_lost);
  say(name(box) + ": power lost");
  box.power_off();
  later(lasting(4s), [&box] {
    box.start_agent();
    box.start_dataplane();
  });
}

void Swarm::stall() {
  Box& box = any_box();
  const Duration time = up_to(rng_.chance(1, 2) ? 2 * box.config.detection_time() : Duration(2s));
  if (box.responsive()) world_.note(Fact::loop_stood_still);
  say(name(box) + ": main loop stands still for " + std::to_string(to_ms(time)) + " ms");
  box.stall(time);
}

void Swarm::pause() {
  Box& box = any_box();
  const Duration time = up_to(rng_.chance(1, 2) ? 2 * box.config.detection_time() : Duration(2s));
  if (rng_.chance(1, 3)) {
    if (box.responsive()) world_.note(Fact::box_suspended);
    say(name(box) + ": suspended with its clocks for " + std::to_string(to_ms(time)) + " ms");
    return box.suspend(time);
  }
  if (box.responsive()) world_.note(Fact::box_stood_still);
  say(name(box) + ": paused for " + std::to_string(to_ms(time)) + " ms");
  box.pause(time);
}

void Swarm::restart_dataplane() {
  Box& box = any_box();
  if (box.dataplane.alive) world_.note(Fact::dataplane_killed);
  say(name(box) + ": data plane killed");
  box.kill_dataplane();
  later(lasting(2s), [&box] { box.start_dataplane(); });
}

void Swarm::flap_link() {
  Box& box = any_box();
  const std::size_t link = rng_.below(2);
  world_.note(Fact::link_flapped);
  say(name(box) + ": link " + std::to_string(link) + " down");
  box.set_link(link, false);
  later(lasting(2s), [&box, link] { box.set_link(link, true); });
}

void Swarm::fail_module() {
  Box& box = any_box();
  box.set_modules(static_cast<std::uint8_t>(rng_.below(3)));
  if (rng_.chance(1, 2)) box.set_management(rng_.chance(1, 2));
  if (box.failed_modules != 0) world_.note(Fact::module_failed);
  if (!box.management_up) world_.note(Fact::management_lost);
  say(name(box) + ": " + std::to_string(box.failed_modules) + " modules failed, management " +
      (box.management_up ? "up" : "down"));
}

void Swarm::order() {
  using What = OperatorCommand::What;
  static constexpr std::array<What, 8> kOrders{
      What::failover,     What::failover,   What::failover_force, What::force_primary,
      What::force_backup, What::force_none, What::maintenance_on, What::maintenance_off};
  Box& box = any_box();
  const std::size_t which = rng_.below(kOrders.size());
  static constexpr std::array<Fact, 8> kOrdered{
      Fact::ordered_failover,    Fact::ordered_failover,   Fact::ordered_forced_failover,
      Fact::ordered_state,       Fact::ordered_state,      Fact::ordered_state,
      Fact::ordered_maintenance, Fact::ordered_maintenance};
  if (box.responsive()) world_.note(kOrdered[which]);
  say(name(box) + ": order " + std::to_string(which));
  box.command(kOrders[which]);
}

void Swarm::leave() {
  Box& box = any_box();
  if (box.responsive()) world_.note(Fact::left_in_order);
  say(name(box) + ": asked to exit");
  box.command(OperatorCommand::What::shutdown);
  later(3s + up_to(2s), [this, &box] { start_again(box); });
}

// Once it has exited, which takes longer where it stands still on the way.
void Swarm::start_again(Box& box) {
  if (!box.agent_runs() || !box.exits()) return box.start_agent();
  later(500ms, [this, &box] { start_again(box); });
}

void Swarm::misconfigure() {
  Box& box = any_box();
  if (rng_.chance(1, 2))
    box.group = 8;
  else
    box.password = "wrong";
  world_.note(Fact::misconfigured);
  say(name(box) + ": restarted with another " + (box.group == 8 ? "group" : "password"));
  box.kill_agent();
  later(up_to(500ms), [&box] { box.start_agent(); });
  later(500ms + lasting(3500ms), [this, &box] {
    box.group = 7;
    box.password = "secret";
    say(name(box) + ": restarted as it should be");
    box.kill_agent();
    later(100ms, [&box] { box.start_agent(); });
  });
}

void Swarm::lose_disk() {
  Box& box = any_box();
  world_.checkers.disk_is_reliable = false;
  world_.note(Fact::disk_emptied);
  say(name(box) + ": power lost, and its disk is empty");
  box.power_off();
  box.disk = PersistedState{};
  later(lasting(2s), [&box] {
    box.start_agent();
    box.start_dataplane();
  });
}

// For one node, or for both, which notice it at different times.
void Swarm::lose_target() {
  const std::size_t target = rng_.below(2);
  const int first = any_chassis(), second = 3 - first;
  const bool both = rng_.chance(1, 2);
  world_.note(Fact::target_lost);
  say("target " + std::to_string(target) + " lost for " +
      (both ? "both nodes" : name(world_.box(first))));
  const auto set = [this, target](int chassis, Duration after, bool reached) {
    later(after, [this, target, chassis, reached] {
      world_.box(chassis).set_remote(target, reached || healing_);
    });
  };
  const Duration back = 400ms + lasting(3s);
  set(first, 0ms, false);
  set(first, back, true);
  if (!both) return;
  set(second, up_to(400ms), false);
  set(second, back + up_to(400ms), true);
}

void Swarm::lose_witness() {
  Box& box = any_box();
  world_.note(Fact::witness_lost);
  say(name(box) + ": the witness does not answer");
  box.set_witness(false);
  later(lasting(3s), [&box] { box.set_witness(true); });
}

void Swarm::upset_clock() {
  Box& box = any_box();
  if (rng_.chance(1, 2)) {
    const Duration by = up_to(rng_.chance(1, 2) ? Duration(50ms) : Duration(1h));
    const bool back = rng_.chance(1, 2);
    world_.note(Fact::wall_clock_set);
    say(name(box) + ": the wall clock is set " + (back ? "back" : "forward") + " by " +
        std::to_string(to_ms(by)) + " ms");
    return box.clock.set_wall(back ? -by : by);
  }
  const Duration ahead = up_to(rng_.chance(1, 2) ? 2 * box.config.detection_time() : Duration(2s));
  if (box.responsive()) world_.note(Fact::clock_leapt);
  say(name(box) + ": the clock leaps ahead by " + std::to_string(to_ms(ahead)) + " ms");
  box.leap(ahead);
}

// Or the way back: another version runs when the agent is started again.
void Swarm::upgrade() {
  Box& box = any_box();
  const ProtocolRange wanted = any_protocol();
  say(name(box) + ": restarted as another version, which speaks " + std::to_string(wanted.lowest) +
      " to " + std::to_string(wanted.highest));
  box.kill_agent();
  box.config.protocol = wanted;
  later(lasting(1s), [this, &box] {
    box.start_agent();
    world_.dataplanes_changed();
  });
}

// cluster.yaml changes, and the two nodes read it one after the other.
void Swarm::reload() {
  const int first = any_chassis();
  NodeConfig changed = world_.box(first).config;
  change_one_key(changed);
  changed.cluster_digest = ++files_;
  world_.note(Fact::reloaded);
  world_.checkers.rules_may_differ = true;
  say("a new cluster.yaml, first for node " + std::to_string(first));
  const auto read = [this, changed](int chassis) {
    Box& box = world_.box(chassis);
    NodeConfig config = changed;  // but for what is the node's own
    config.self = box.config.self;
    config.serial = box.config.serial;
    config.hostname = box.config.hostname;
    config.priority = box.config.priority;
    config.protocol = box.config.protocol;
    box.reload(config);
  };
  read(first);
  later(up_to(2s), [read, first] { read(3 - first); });
}

void Swarm::change_one_key(NodeConfig& config) {
  switch (rng_.below(7)) {
    case 0:
      config.override_ = !config.override_;
      return;
    case 1:
      config.hold = rng_.chance(1, 2) ? Duration{} : up_to(2s);
      return;
    case 2:
      config.board_failover_tolerance = static_cast<std::uint8_t>(rng_.below(3));
      return;
    case 3:
      config.split_brain = static_cast<SplitBrain>(rng_.below(3));
      return;
    case 4:
      config.flap_backoff = rng_.chance(1, 2) ? Duration{} : up_to(2s);
      return;
    case 5:
      config.session_pickup = !config.session_pickup;
      return;
    default:
      if (config.data_interfaces.size() < 4)
        config.data_interfaces.push_back({"dmz", false, ""});
      else
        config.remote_monitors = {};
  }
}

}  // namespace hotpair::simulation
