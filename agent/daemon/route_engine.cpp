// What this node begins: rounds, and its own kernel's state. What the peer begins is in
// route_engine_serve.cpp.
#include "agent/daemon/route_engine.hpp"

#include "platform/linux/clock.hpp"

namespace hotpair::daemon {
namespace {

using agent::RouteMessage;
using Outcome = sys::MessageStream::Outcome;

std::uint8_t type_of(RouteMessage message) {
  return static_cast<std::uint8_t>(message);
}

Failure<Error> lost() {
  return fail_with("the connection to the peer was lost in the middle; it is tried again");
}

}  // namespace

Result<RouteEngine::Kernel> RouteEngine::open_kernel() {
  auto tables = sys::RouteTables::open();
  if (!tables) return fail(tables.error());
  auto routes = sys::RouteWatch::open(sys::RouteWatch::Of::routes);
  if (!routes) return fail(routes.error());
  auto neighbours = sys::RouteWatch::open(sys::RouteWatch::Of::neighbours);
  if (!neighbours) return fail(neighbours.error());
  return Kernel{std::move(tables).value(), std::move(routes).value(),
                std::move(neighbours).value()};
}

RouteEngine::RouteEngine(PeerCalls::Dial dial, Kernel kernel, Log log)
    : calls_(std::move(dial), agent::kMaxRouteMessage),
      log_(std::move(log)),
      routes_(std::move(kernel.routes)),
      neighbours_(std::move(kernel.neighbours)),
      kernel_(std::move(kernel.tables)),
      installer_(kernel_) {}

std::pair<int, int> RouteEngine::watched() const {
  const bool routes = own_unread_.routes && held_unread_.routes;
  const bool neighbours = own_unread_.neighbours && held_unread_.neighbours;
  return {routes ? -1 : routes_.fd(), neighbours ? -1 : neighbours_.fd()};
}

// A device that came, or a VRF, concerns neighbours too.
void RouteEngine::mark_unread(bool routes, bool neighbours) {
  for (Unread* unread : {&own_unread_, &held_unread_}) {
    if (routes) unread->set();
    if (neighbours) unread->neighbours = true;
  }
}

void RouteEngine::heard(bool routes, bool neighbours) {
  mark_unread(routes, neighbours);
  if (routes || neighbours) post(agent::RoutesChanged{});
}

// What was heard so far the reading that follows will see.
void RouteEngine::absorb() {
  const bool routes = routes_.drain(), neighbours = neighbours_.drain();
  mark_unread(routes, neighbours);
}

void RouteEngine::set_rules(const RouteRules& rules) {
  const std::lock_guard lock(state_mutex_);
  rules_ = rules;
  own_unread_.set();
  held_unread_.set();
}

void RouteEngine::post(const agent::RouteEvent& event) {
  const std::lock_guard lock(state_mutex_);
  posted_.emplace_back(sys::now(), event);
}

void RouteEngine::turn() {
  for (;;) {
    agent::RouteActions actions;
    {
      const std::lock_guard lock(state_mutex_);
      const bool sent = core_.sends(), kept = core_.keeps(), last = posted_.empty();
      if (last) {
        actions = core_.step(sys::now(), agent::RouteTick{});
      } else {
        actions = core_.step(posted_.front().first, posted_.front().second);
        posted_.erase(posted_.begin());
      }
      if (core_.sends() != sent || core_.keeps() != kept) state_.known = false;
      if (last && !actions.round && !actions.reconcile && !actions.give_up) return;
    }
    carry_out(actions);
  }
}

void RouteEngine::carry_out(const agent::RouteActions& actions) {
  if (actions.give_up) give_up();
  if (actions.reconcile) reconcile();
  if (actions.round) round();
}

std::optional<Instant> RouteEngine::next_deadline() const {
  const std::lock_guard lock(state_mutex_);
  return core_.next_deadline();
}

RouteState RouteEngine::state() const {
  const std::lock_guard lock(state_mutex_);
  RouteState state = state_;
  if (!core_.sends()) {
    state.error = held_.error;
    state.routes = held_.routes;
    state.neighbours = held_.neighbours;
    state.outcome = held_.outcome;
  }
  state.sends = core_.sends();
  state.keeps = core_.keeps();
  state.enabled = state.sends || state.keeps;
  state.unsent_since = core_.unsent_since();
  state.ends_at = core_.ends_at();
  state.longest_lag = core_.longest_lag();
  return state;
}

void RouteEngine::stop() {
  stopping_ = true;
  calls_.end();
}

void RouteEngine::cut() {
  calls_.cut();
}

void RouteEngine::round() {
  const Instant began = sys::now();
  agent::RouteOutcome outcome;
  const Status done = exchange(outcome);
  {
    const std::lock_guard lock(state_mutex_);
    state_.last_took = sys::now() - began;
    state_.known = done.ok();
    if (done) {
      state_.outcome = outcome;
      state_.failed_in_a_row = 0;
      ++state_.rounds;
    } else {
      ++state_.failed;
      if (++state_.failed_in_a_row == kFailuresToSay)
        log_.warning("routes-not-synchronised", done.error().message);
    }
    state_.error = done ? "" : done.error().message;
  }
  post(agent::RouteRoundEnded{done.ok()});
}

Status RouteEngine::exchange(agent::RouteOutcome& outcome) {
  const std::lock_guard turn(turns_);
  if (Status read = read_own(); !read) return read;
  auto connected = calls_.dial();
  if (!connected) return fail(connected.error());
  sys::MessageStream& stream = **connected;
  const agent::RouteOffer offer = own_.offer();
  const auto bytes = agent::encode(offer);
  if (stream.send(type_of(RouteMessage::offer), Bytes(bytes), kRoutePatience) != Outcome::done)
    return lost();
  sys::Message answer;
  if (stream.receive(answer, kRoutePatience) != Outcome::done) return lost();
  if (answer.type == type_of(RouteMessage::want)) {
    const auto wanted = agent::decode_want(answer.payload, offer.digests.size());
    if (!wanted) return fail_with("the peer's wish cannot be read; run one version on both nodes");
    if (Status sent = send_entries(stream, *wanted); !sent) return sent;
    if (stream.receive(answer, kRoutePatience) != Outcome::done) return lost();
  }
  const auto said = agent::decode_outcome(answer.payload);
  if (answer.type != type_of(RouteMessage::outcome) || !said)
    return fail_with("the peer's answer cannot be read; run one version on both nodes");
  if (!said->ok) return fail_with(said->text);
  outcome = *said;
  return Ok{};
}

Status RouteEngine::read_own() {
  RouteRules rules;
  {
    const std::lock_guard lock(state_mutex_);
    rules = rules_;
  }
  const auto names = read_names(rules);
  if (!names) return fail(names.error());
  absorb();
  if (own_unread_.routes.exchange(false))
    if (Status read = read_own_routes(kernel_, *names, own_); !read) {
      own_unread_.routes = true;
      return read;
    }
  if (own_unread_.neighbours.exchange(false))
    if (Status read = read_own_neighbours(kernel_, *names, own_); !read) {
      own_unread_.neighbours = true;
      return read;
    }
  const std::lock_guard lock(state_mutex_);
  state_.routes = own_.routes.size();
  state_.neighbours = own_.neighbours.size();
  state_.left_out = own_.left_out;
  state_.nameless = own_.nameless;
  return Ok{};
}

Status RouteEngine::send_entries(sys::MessageStream& stream, const std::vector<bool>& wanted) {
  agent::RouteEntryWriter writer;
  std::uint64_t entries = 0, bytes = 0;
  const auto buckets = static_cast<std::uint32_t>(wanted.size());
  const auto flush = [&] {
    bytes += writer.bytes().size();
    const auto sent =
        stream.send(type_of(RouteMessage::entries), Bytes(writer.bytes()), kRoutePatience);
    writer.clear();
    return sent == Outcome::done;
  };
  for (const agent::RouteTable* table : {&own_.routes, &own_.neighbours}) {
    for (const auto& [key, value] : table->entries()) {
      if (!wanted[agent::route_bucket_of(key, buckets)]) continue;
      ++entries;
      if (writer.add(key, value) && !flush()) return lost();
    }
  }
  if (!writer.bytes().empty() && !flush()) return lost();
  if (stream.send(type_of(RouteMessage::commit), Bytes(), kRoutePatience) != Outcome::done)
    return lost();
  const std::lock_guard lock(state_mutex_);
  state_.entries_sent += entries;
  state_.bytes_sent += bytes;
  if (entries > 0) state_.last_change = sys::wall_clock_text();
  return Ok{};
}

void RouteEngine::note_held(const std::string& error) {
  const agent::RouteOutcome outcome = installer_.outcome();
  const std::size_t neighbours = installer_.wanted().neighbours();
  const std::lock_guard lock(state_mutex_);
  held_.outcome = outcome;
  held_.neighbours = neighbours;
  held_.routes = installer_.wanted().size() - neighbours;
  if (!error.empty() && error != held_.error) log_.warning("routes-not-installed", error);
  held_.error = error;
}

void RouteEngine::reconcile() {
  const Instant began = sys::now();
  std::string error;
  {
    const std::lock_guard turn(turns_);
    RouteRules rules;
    {
      const std::lock_guard lock(state_mutex_);
      rules = rules_;
      ++state_.reconciled;
    }
    absorb();
    const auto scope = held_unread_.routes.exchange(false) ? RouteInstaller::Scope::everything
                                                           : RouteInstaller::Scope::neighbours;
    held_unread_.neighbours = false;
    const auto names = read_names(rules);
    const Status done = names ? installer_.reconcile(*names, scope) : Status(fail(names.error()));
    if (!done) {
      error = done.error().message;
      held_unread_.set();
    }
    note_held(error);
  }
  post(agent::RoutesReconciled{sys::now() - began});
}

void RouteEngine::give_up() {
  const std::lock_guard turn(turns_);
  ++generation_;
  const std::size_t held = installer_.wanted().size();
  const Status done = installer_.remove_all();
  if (held > 0)
    log_.info("routes-given-up",
              "removed " + std::to_string(held) + " routes and neighbours of the former primary",
              {{"entries", held}});
  held_unread_.set();
  note_held(done ? "" : done.error().message);
  const std::lock_guard lock(state_mutex_);
  ++state_.given_up;
}

void RouteEngine::clean_up() {
  const std::lock_guard turn(turns_);
  if (Status done = installer_.remove_all(); !done)
    log_.warning("routes-not-installed", done.error().message);
}

}  // namespace hotpair::daemon
