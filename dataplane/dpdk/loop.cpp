#include "dataplane/dpdk/loop.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "platform/linux/clock.hpp"
#include "platform/linux/sd_notify.hpp"

namespace hotpair::dpdk {

namespace {

namespace control = dataplane::control;

constexpr Duration kWatchEvery = 2ms;
constexpr Duration kPortEvery = 100ms;
constexpr Duration kReportEvery = 100ms;
constexpr Duration kDrainTime = 10s;  // the agent's own bound is shorter
constexpr Duration kLateTurn = 10ms;

}  // namespace

Result<std::unique_ptr<Loop>> Loop::create(const LoopOptions& options, ReplicaParts parts,
                                           Counters& counters, Log log) {
  auto events = sys::EventLoop::create();
  if (!events.ok()) return fail(events.error());
  std::unique_ptr<Loop> out(
      new Loop(std::move(events).value(), options, std::move(parts), counters, std::move(log)));
  auto server = ControlServer::listen(*out->events_, options.control_path, out->replica_,
                                      out->counters_, out->agent_connected_);
  if (!server.ok()) return fail(server.error());
  out->control_ = std::move(server).value();
  return out;
}

Loop::Loop(std::unique_ptr<sys::EventLoop> events, const LoopOptions& options, ReplicaParts parts,
           Counters& counters, Log log)
    : events_(std::move(events)),
      log_(log),
      counters_(counters),
      replica_(std::move(parts), counters_, log,
               [this](Instant heard_at, Bytes frame) {
                 control::RelayReceived relayed;
                 relayed.heard_at_ns =
                     static_cast<std::uint64_t>(heard_at.time_since_epoch().count());
                 relayed.frame.assign(frame.begin(), frame.end());
                 agent_.send(relayed);
               }),
      agent_(*events_, options.agent, counters_, log,
             [this](const control::ToDataplane& message) { obey(message); }),
      watchdog_(sys::watchdog_interval()) {}

void Loop::run() {
  bool go_on = true;
  while (go_on) {
    const Instant now = sys::now();
    const Effort effort = replica_.turn(now);
    if (now - watched_ >= kWatchEvery) watch(now);
    if (now - ports_watched_ >= kPortEvery) {
      ports_watched_ = now;
      replica_.watch_ports(now);
    }
    const Instant after = sys::now();
    if (after - now > kLateTurn) ++counters_.late_turns;
    go_on = rest(effort, after);
  }
  replica_.stop();
}

bool Loop::rest(Effort effort, Instant now) {
  std::optional<Duration> left;
  if (effort != Effort::saturated)
    if (const auto deadline = replica_.next_deadline(now)) left = *deadline - now;
  const bool announced = replica_.ports() != nullptr && replica_.ports()->announced();
  const bool primary = replica_.engine().role() == dataplane::Role::primary;
  const Idling::Rest rest =
      idling_.after(effort, left, {.announced = announced, .gathers = primary});
  watch_for_wakes(rest.wake);
  return events_->run_once(rest.length);
}

void Loop::watch_for_wakes(bool wanted) {
  std::vector<int> fds;
  if (wanted) {
    if (replica_.ports() != nullptr) fds = replica_.ports()->wake_fds();
    if (replica_.event_fd() >= 0) fds.push_back(replica_.event_fd());
  }
  if (fds == waking_) return;
  for (const int fd : waking_)
    if (std::find(fds.begin(), fds.end(), fd) == fds.end()) events_->remove(fd);
  // What is readable is read by the next turn.
  std::erase_if(fds, [this](int fd) {
    const bool known = std::find(waking_.begin(), waking_.end(), fd) != waking_.end();
    return !known && !events_->add(fd, EPOLLIN, [](std::uint32_t) {}).ok();
  });
  waking_ = std::move(fds);
}

void Loop::obey(const control::ToDataplane& message) {
  if (const auto* order = std::get_if<control::SetRole>(&message)) {
    set_role(*order);
  } else if (const auto* drain = std::get_if<control::Drain>(&message)) {
    begin_drain(drain->id);
  } else if (const auto* keys = std::get_if<control::SetKeys>(&message)) {
    replica_.set_keys(*keys);
  } else if (const auto* relay = std::get_if<control::SendRelay>(&message)) {
    replica_.send_relay(relay->frame);
  }
}

void Loop::set_role(const control::SetRole& order) {
  finish_drain(false, "the role changes");
  const Instant began = sys::now();
  const dataplane::Role before = replica_.engine().role();
  const Status outcome = replica_.set_role(order.role, order.epoch, began);
  control::Done done;
  done.id = order.id;
  done.ok = outcome.ok();
  if (!outcome.ok()) done.error = outcome.error().message;
  agent_.send(done);
  if (before != order.role)
    log_.notice("role-change", "the session table changes its role",
                {{"role", static_cast<int>(order.role)},
                 {"epoch", order.epoch},
                 {"sessions", replica_.engine().table().size()},
                 {"took_us", to_us(sys::now() - began)}});
  watch(sys::now());
}

void Loop::begin_drain(std::uint32_t id) {
  finish_drain(false, "another drain was asked for");
  drain_ = Drain{id, std::nullopt, sys::now() + kDrainTime};
}

void Loop::finish_drain(bool ok, const std::string& error) {
  if (!drain_) return;
  control::Done done;
  done.id = drain_->id;
  done.ok = ok;
  done.error = error;
  agent_.send(done);
  drain_.reset();
}

void Loop::watch_drain(Instant now) {
  if (!drain_) return;
  if (!drain_->since && replica_.caught_up()) {
    drain_->since = now;
    replica_.begin_drain(now);
  }
  if (drain_->since && replica_.drained(*drain_->since, now)) return finish_drain(true, "");
  if (now >= drain_->until)
    finish_drain(false, "the backup did not acknowledge everything in time");
}

void Loop::watch(Instant now) {
  watched_ = now;
  watch_drain(now);
  control_->work(now);
  const dataplane::EngineStatus status = replica_.engine().status(now);
  yield_to_newer_epoch(status, now);
  if (peer_was_heard_ && !status.peer_heard) replica_.forget_peer_mac();
  peer_was_heard_ = status.peer_heard;
  agent_connected_ = agent_.connected();
  report(status, now);
  if (watchdog_ && now - notified_at_ >= *watchdog_ / 3) {
    notified_at_ = now;
    sys::notify_watchdog();
  }
}

void Loop::yield_to_newer_epoch(const dataplane::EngineStatus& status, Instant now) {
  if (agent_.connected() || status.role != dataplane::Role::primary ||
      status.newest_epoch_heard <= status.epoch)
    return;
  log_.warning("yielded",
               "the peer took over while hotpaird was away; this table becomes the backup's",
               {{"epoch", status.epoch}, {"newer_epoch", status.newest_epoch_heard}});
  (void)replica_.set_role(dataplane::Role::backup, status.newest_epoch_heard, now);
}

void Loop::report(const dataplane::EngineStatus& status, Instant now) {
  control::State state;
  state.role = status.role;
  state.epoch = status.epoch;
  state.in_sync = replica_.in_sync(now);
  state.port_up = replica_.ports() != nullptr && replica_.ports()->up();
  state.peer_heard = status.peer_heard;
  state.sessions = status.sessions;
  state.lag_sessions = status.lag_sessions;
  state.lag_us =
      static_cast<std::uint32_t>(std::clamp<std::int64_t>(to_us(status.lag), 0, UINT32_MAX));
  const bool news = state.role != reported_.role || state.epoch != reported_.epoch ||
                    state.in_sync != reported_.in_sync || state.port_up != reported_.port_up;
  if (!news && now - reported_at_ < kReportEvery) return;
  if (!agent_.send(state)) return;
  reported_ = state;
  reported_at_ = now;
}

}  // namespace hotpair::dpdk
