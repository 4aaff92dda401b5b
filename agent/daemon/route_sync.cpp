#include "agent/daemon/route_sync.hpp"

#include <array>

#include <poll.h>
#include <sys/eventfd.h>

#include "agent/daemon/history.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/scheduling.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;

constexpr Duration kIdle = 1h;

json left_out_json(const RouteState& state) {
  return {{"encapsulated", state.left_out.encapsulated},
          {"by_source", state.left_out.by_source},
          {"nexthop_object", state.left_out.not_spelled},
          {"malformed", state.left_out.malformed},
          {"device_not_shared", state.nameless}};
}

json milliseconds_until(const std::optional<Instant>& when) {
  if (!when) return nullptr;
  return std::max<std::int64_t>(to_ms(*when - sys::now()), 0);
}

Duration lag_of(const RouteState& state) {
  return state.sends && state.unsent_since ? sys::now() - *state.unsent_since : Duration{};
}

bool in_sync(const RouteState& state) {
  return state.known && state.error.empty() && lag_of(state) <= state.longest_lag;
}

json status_of(const RouteState& state, bool peer_alive) {
  return {{"role", state.sends ? "sends" : "keeps"},
          {"in_sync", peer_alive && in_sync(state) ? 1 : 0},
          {"routes", state.routes},
          {"neighbours", state.neighbours},
          {"lag_ms", to_ms(lag_of(state))},
          {"installed", state.outcome.installed},
          {"waiting", state.outcome.waiting},
          {"own", state.outcome.own},
          {"refused", state.outcome.refused},
          {"refusal", state.outcome.text},
          {"ttl_left_ms", milliseconds_until(state.ends_at)},
          {"left_out", left_out_json(state)},
          {"error", state.error},
          {"last_change", state.last_change},
          {"last_took_ms", to_fractional_ms(state.last_took)},
          {"rounds", state.rounds},
          {"failed", state.failed},
          {"entries_sent", state.entries_sent},
          {"bytes_sent", state.bytes_sent},
          {"changes_taken", state.changes_taken},
          {"entries_taken", state.entries_taken},
          {"reconciled", state.reconciled},
          {"given_up", state.given_up},
          {"malformed", state.malformed}};
}

std::shared_ptr<RouteEngine> make_engine(const std::shared_ptr<PeerLink>& link, const Log& log) {
  auto kernel = RouteEngine::open_kernel();
  if (kernel)
    return std::make_shared<RouteEngine>([link] { return link->dial(PeerService::routes); },
                                         std::move(kernel).value(), log);
  log.warning("routes-not-synchronised", kernel.error().message);
  return nullptr;
}

}  // namespace

RouteSync::RouteSync(std::shared_ptr<PeerLink> link, Log log)
    : link_(std::move(link)),
      log_(std::move(log)),
      engine_(make_engine(link_, log_)),
      wake_(std::make_shared<sys::FileDescriptor>(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC))) {
  if (engine_) thread_ = std::thread([this] { serve(); });
}

RouteSync::~RouteSync() {
  if (!engine_) return;
  link_->serve_with(PeerService::routes, {});
  engine_->stop();
  stopping_ = true;
  ::eventfd_write(wake_->get(), 1);
  thread_.join();
  engine_->clean_up();
}

void RouteSync::configure(const config::Config& config, const NodePlan& plan) {
  if (!engine_) return;
  const auto& sync = config.cluster.route_sync;
  enabled_ = sync.enabled;
  engine_->set_rules(make_route_rules(config, plan));
  engine_->post(agent::RouteTimes{sync.enabled, sync.hold, sync.wait, sync.ttl});
  if (enabled_)
    link_->serve_with(PeerService::routes, [engine = engine_, wake = wake_](auto socket, int) {
      engine->serve(std::move(socket));
      ::eventfd_write(wake->get(), 1);
    });
  else
    link_->serve_with(PeerService::routes, {});
  ::eventfd_write(wake_->get(), 1);
}

void RouteSync::follow(const PairView& pair) {
  if (!engine_) return;
  engine_->post(agent::RoutePair{pair.is_primary(), pair.peer_alive});
  if (!pair.peer_alive) engine_->cut();
  peer_alive_ = pair.peer_alive;
  ::eventfd_write(wake_->get(), 1);
}

void RouteSync::serve() {
  sys::set_thread_name("route-sync");
  sys::give_way();
  engine_->clean_up();
  while (!stopping_) {
    engine_->turn();
    wait();
  }
}

void RouteSync::wait() {
  const Instant now = sys::now();
  const Duration left =
      std::max<Duration>(engine_->next_deadline().value_or(now + kIdle) - now, Duration::zero());
  const timespec timeout{left.count() / 1'000'000'000, left.count() % 1'000'000'000};
  const auto [routes, neighbours] = enabled_ ? engine_->watched() : std::pair(-1, -1);
  std::array<pollfd, 3> waited{
      {{wake_->get(), POLLIN, 0}, {routes, POLLIN, 0}, {neighbours, POLLIN, 0}}};
  if (::ppoll(waited.data(), waited.size(), &timeout, nullptr) <= 0) return;
  if (eventfd_t times = 0; waited[0].revents != 0) ::eventfd_read(wake_->get(), &times);
  engine_->heard(waited[1].revents != 0, waited[2].revents != 0);
}

void RouteSync::add_status(json& status) const {
  if (engine_ && enabled_) status["routes"] = status_of(engine_->state(), peer_alive_);
}

std::vector<std::string> RouteSync::warnings() const {
  if (!engine_ || !enabled_) return {};
  std::vector<std::string> list;
  const RouteState state = engine_->state();
  const bool lasting = state.sends ? peer_alive_ && state.failed_in_a_row >= kFailuresToSay : true;
  if (!state.error.empty() && lasting) list.push_back("routes are not in sync: " + state.error);
  if (state.outcome.refused > 0)
    list.push_back("the backup's kernel refused " + std::to_string(state.outcome.refused) +
                   " of the primary's routes and neighbours: " + state.outcome.text);
  return list;
}

}  // namespace hotpair::daemon
