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
constexpr Duration kRestAtMost = 2 * Idling::kLong;  // the deadline of the loop comes before

}  // namespace

Result<std::unique_ptr<Loop>> Loop::create(const LoopOptions& options, ReplicaParts parts,
                                           Counters& counters, Log log) {
  auto events = sys::EventLoop::create();
  if (!events.ok()) return fail(events.error());
  std::unique_ptr<Loop> out(
      new Loop(std::move(events).value(), options, std::move(parts), counters, std::move(log)));
  auto server = ControlServer::listen(*out->events_, options.control_path, out->replica_,
                                      out->counters_, out->port_state_);
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
      idling_(replica_.port() != nullptr && replica_.port()->wake_fd() >= 0),
      watchdog_(sys::watchdog_interval()) {}

Status Loop::run() {
  bool go_on = true;
  while (go_on) {
    const Instant now = sys::now();
    const Effort effort = replica_.turn(now);
    if (now - watched_ >= kWatchEvery) watch(now);
    if (now - port_watched_ >= kPortEvery) {
      if (Status port = watch_port(now); !port.ok()) return port;
    }
    const Instant after = sys::now();
    if (after - now > kLateTurn) ++counters_.late_turns;
    go_on = rest(effort, after);
  }
  replica_.stop();
  return Ok{};
}

bool Loop::rest(Effort effort, Instant now) {
  std::optional<Duration> left;
  if (effort != Effort::saturated)
    if (const auto deadline = replica_.next_deadline(now)) left = *deadline - now;
  const Idling::Rest rest = idling_.after(effort, left);
  watch_for_wakes(rest.wake);
  if (rest.length <= Duration{}) return events_->run_once(Duration{});
  if (rest.length == Idling::kLong || rest.length == Idling::kBlind)
    return events_->run_once(rest.length);
  // Parts of a millisecond: by the event loop's deadline, which is exact.
  events_->set_deadline(now + rest.length);
  const bool go_on = events_->run_once(kRestAtMost);
  events_->set_deadline(std::nullopt);
  return go_on;
}

void Loop::watch_for_wakes(bool wanted) {
  const int port = replica_.port() != nullptr ? replica_.port()->wake_fd() : -1;
  const std::array<int, 2> fds = {wanted ? replica_.event_fd() : -1, wanted ? port : -1};
  for (std::size_t i = 0; i < fds.size(); ++i) {
    if (fds[i] == waking_[i]) continue;
    if (waking_[i] >= 0) events_->remove(waking_[i]);
    waking_[i] = -1;
    // What is readable is read by the next turn.
    if (fds[i] >= 0 && events_->add(fds[i], EPOLLIN, [](std::uint32_t) {}).ok())
      waking_[i] = fds[i];
  }
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
  if (!drain_->since && replica_.caught_up()) drain_->since = now;
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
  port_state_.agent_connected = agent_.connected();
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

Status Loop::watch_port(Instant now) {
  port_watched_ = now;
  if (replica_.port() == nullptr) return Ok{};
  const Port::Link link = replica_.port()->link();
  if (link == Port::Link::replaced)
    return fail_with("the interface of " + replica_.port()->device() +
                     " was removed and made anew; the data plane starts again to use it");
  const bool up = link == Port::Link::up;
  if (up != port_state_.up)
    log_.notice("port-link", std::string("the session-sync port is ") + (up ? "up" : "down"),
                {{"device", replica_.port()->device()}});
  port_state_.up = up;
  return Ok{};
}

void Loop::report(const dataplane::EngineStatus& status, Instant now) {
  control::State state;
  state.role = status.role;
  state.epoch = status.epoch;
  state.in_sync = replica_.in_sync(now);
  state.port_up = port_state_.up;
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
