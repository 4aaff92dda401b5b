#include "tests/sim/world.hpp"

#include <cstdio>

#include "agent/core/role.hpp"

namespace hotpair::simulation {
using namespace agent;

namespace {

std::string_view text(const Reason& reason) {
  return reason.view();
}

std::string milliseconds(Duration d) {
  char out[32];
  std::snprintf(out, sizeof out, "%.0f ms", to_seconds(d) * 1000);
  return out;
}

std::string line_for(const ReportRoleChange& change) {
  return std::string(to_string(change.from)) + " -> " + std::string(to_string(change.to)) + " (" +
         std::string(to_string(change.kind)) + ", epoch " + std::to_string(change.epoch.number) +
         "): " + std::string(text(change.reason));
}

std::string line_for(const ReportTransaction& t) {
  std::string line = t.takeover ? "takeover" : "giving back";
  line += t.ok ? " done in " : " with faults in ";
  line += milliseconds(t.total);
  for (const TakeoverStep& step : t.steps) {
    line += &step == t.steps.begin() ? ": " : ", ";
    line += std::string(step.name.view()) + " " + milliseconds(step.took);
    if (!step.ok) line += " (" + std::string(step.error.view()) + ")";
  }
  return line;
}

}  // namespace

NodeConfig default_config(int chassis) {
  NodeConfig config;
  config.self = static_cast<ChassisId>(chassis);
  config.serial = "FW-000" + std::to_string(chassis);
  config.hostname = "fw" + std::to_string(chassis);
  config.session_pickup = true;
  config.paths[0] = {true, PathConfig::Kind::heartbeat, "ha0"};
  config.paths[1] = {true, PathConfig::Kind::heartbeat, "ha1"};
  config.paths[kSessionSyncPath] = {true, PathConfig::Kind::session_sync, "session-sync"};
  config.data_interfaces.push_back({"lan", false, ""});
  config.data_interfaces.push_back({"wan", false, ""});
  return config;
}

World::World(std::uint64_t seed)
    : network(timeline, Rng(seed).fork(), facts,
              [this](int to, PathId path, Bytes frame) { box(to + 1).receive(path, frame); }),
      checkers(*this),
      began_(timeline.now()),
      one_(*this, 0, Rng(seed * 2 + 1)),
      two_(*this, 1, Rng(seed * 2 + 2)) {
  one_.config = default_config(1);
  two_.config = default_config(2);
}

void World::tell(const std::string& line) {
  char time[32];
  std::snprintf(time, sizeof time, "%9.3f ", to_seconds(elapsed()));
  if (print_at_once) std::printf("%s%s\n", time, line.c_str());
  story_ += time + line + "\n";
}

void World::tell(const Box& box, const Action& action) {
  const std::string who = std::to_string(static_cast<int>(box.id())) + " ";
  if (const auto* change = std::get_if<ReportRoleChange>(&action))
    return tell(who + line_for(*change));
  if (const auto* t = std::get_if<ReportTransaction>(&action)) return tell(who + line_for(*t));
  if (const auto* answer = std::get_if<OperatorAnswer>(&action))
    return tell(who + (answer->accepted ? "answers: " : "refuses: ") +
                std::string(text(answer->text)));
  if (std::get_if<Exit>(&action)) return tell(who + "exits");
  if (const auto* event = std::get_if<ReportEvent>(&action))
    if (tell_everything || event->level != ReportEvent::Level::info)
      tell(who + std::string(event->id.view()) + ": " + std::string(text(event->text)));
}

std::string World::take_story() {
  return std::exchange(story_, {});
}

void World::started(Box& box) {
  checkers.started(box);
}

void World::stopped(Box& box) {
  checkers.stopped(box);
}

void World::announced(Box& box) {
  checkers.announced(box);
}

void World::after_step(Box& box, const std::vector<Action>& actions) {
  checkers.after_step(box, actions);
}

// The data planes: a backup that hears a primary of a newer or equal epoch is in sync after a
// while; a primary without an agent that hears a newer one obeys it.
void World::dataplanes_changed() {
  const std::uint64_t attempt = ++sync_attempt_;
  one_.dataplane.in_sync = two_.dataplane.in_sync = false;
  timeline.after(0ms, [this] {
    one_.tell_dataplane_state();
    two_.tell_dataplane_state();
  });
  timeline.after(sync_takes, [this, attempt] {
    if (attempt == sync_attempt_) sync_dataplanes();
  });
}

void World::sync_dataplanes() {
  const bool joined =
      one_.dataplane.alive && two_.dataplane.alive && !network.cable(0, kSessionSyncPath).cut &&
      !network.cable(1, kSessionSyncPath).cut && agree(one_.config.protocol, two_.config.protocol);
  if (joined && !sync_stuck) {
    Box::Dataplane& a = one_.dataplane;
    Box::Dataplane& b = two_.dataplane;
    Box& lower = a.epoch < b.epoch ? one_ : two_;
    if (a.role == DataplaneRole::primary && b.role == DataplaneRole::primary && !lower.agent_runs())
      lower.dataplane.role = DataplaneRole::backup;
    a.in_sync = b.in_sync = a.follows(b) || b.follows(a);
  } else {
    one_.dataplane.in_sync = two_.dataplane.in_sync = false;
  }
  one_.tell_dataplane_state();
  two_.tell_dataplane_state();
}

}  // namespace hotpair::simulation
