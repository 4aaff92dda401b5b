#include "agent/core/node.hpp"

#include "agent/core/node_state.hpp"

namespace hotpair::agent {
namespace {

// The order of the actions of one step (action.hpp), by the variant's alternatives.
constexpr int rank(const Action& action) {
  return std::visit(
      [](const auto& a) {
        using A = std::decay_t<decltype(a)>;
        if constexpr (std::is_same_v<A, PersistState>) return 0;
        if constexpr (std::is_same_v<A, WithdrawAddresses>) return 1;
        if constexpr (std::is_same_v<A, DrainDataplane>) return 2;
        if constexpr (std::is_same_v<A, SetDataplaneRole>) return 3;
        if constexpr (std::is_same_v<A, ClaimAddresses>) return 4;
        if constexpr (std::is_same_v<A, Announce>) return 5;
        if constexpr (std::is_same_v<A, PublishHeartbeat>) return 6;
        if constexpr (std::is_same_v<A, RunHooks>) return 7;
        if constexpr (std::is_same_v<A, Exit>) return 9;
        return 8;  // reports and answers
      },
      action);
}

// The peer should know of it now, not at the next interval.
bool urgent(const Heartbeat& a, const Heartbeat& b) {
  return a.role != b.role || a.epoch != b.epoch || a.table_epoch != b.table_epoch ||
         a.leaving != b.leaving || !same_inputs(a.health, b.health) || a.ask_round != b.ask_round ||
         a.grant_round != b.grant_round || a.invite_round != b.invite_round ||
         a.refuse_round != b.refuse_round || a.replication.in_sync != b.replication.in_sync ||
         a.dual_primary_seen != b.dual_primary_seen;
}

// Each rule may make way for the next; a fixed number of rounds bounds the step.
constexpr int kRoundsPerStep = 6;

}  // namespace

Node::Node(const NodeConfig& config, const PersistedState& persisted, Instant now)
    : state_(std::make_unique<State>(config, persisted, now)) {}
Node::~Node() = default;
Node::Node(Node&&) noexcept = default;
Node& Node::operator=(Node&&) noexcept = default;

Node::State::State(const NodeConfig& node_config, const PersistedState& persisted, Instant now)
    : config(node_config),
      started(now),
      now_(now),
      next_wake(now),
      health(node_config, now),
      rounds(now),
      role_since(now),
      role_reason("started, listening for the peer"),
      known(persisted.epoch),
      reserved(next_epoch(persisted.epoch, node_config.self)),
      on_disk(persisted.epoch),
      forced(persisted.forced),
      forced_wanted(persisted.forced),
      disk(persisted, PersistedState{reserved, persisted.forced}),
      // What an earlier life left behind is not known: it is taken away before anything is granted.
      addresses(std::nullopt, AddressWish{}),
      dataplane(std::nullopt, DataplaneWish{}),
      uptime_due(now),
      listening_until(now + node_config.hello_holddown) {
  peer.configure(config.paths, config.detection_time(), config.lost_threshold);
}

void Node::step(const Event& event, Actions& out) {
  State& s = *state_;
  out.clear();
  s.out = &out;
  s.now_ = std::max(s.now_, event.at);
  if (!s.left) {
    std::visit([&](const auto& what) { s.on(s.now_, what); }, event.what);
    s.settle(s.now_);
  }
  s.out = nullptr;
}

std::optional<Instant> Node::next_deadline() const {
  if (state_->left || state_->next_wake == Instant::max()) return std::nullopt;
  return state_->next_wake;
}

void Node::reconfigure(const NodeConfig& config, Instant now, Actions& out) {
  State& s = *state_;
  out.clear();
  s.out = &out;
  s.now_ = std::max(s.now_, now);
  HOTPAIR_ASSERT(config.self == s.config.self);
  s.config = config;
  s.health.configure(config);
  s.peer.configure(config.paths, config.detection_time(), config.lost_threshold);
  s.pin.reset();
  if (!s.left) s.settle(s.now_);
  s.out = nullptr;
}

void Node::State::settle(Instant now) {
  next_wake = Instant::max();
  observe_time(now);
  observe_peer(now);
  run_transaction(now);
  for (int i = 0; i < kRoundsPerStep; ++i) {
    update_verdict(now);
    if (!decide(now)) break;
    run_transaction(now);
  }
  note_held_link(now);
  operator_progress(now);
  pursue(now);
  if (suppressed.size != 0 && suppressed_reported.size == 0 && !split.reported)
    report(ReportEvent::Level::notice, "suppressed", suppressed);
  suppressed_reported = suppressed;
  publish();
  HOTPAIR_ASSERT(epoch <= known && known < reserved);
}

void Node::State::emit(const Action& action) {
  out->push_back(action);
  for (std::size_t i = out->size() - 1; i > 0 && rank((*out)[i - 1]) > rank((*out)[i]); --i)
    std::swap((*out)[i - 1], (*out)[i]);
}

void Node::State::report(ReportEvent::Level level, std::string_view id, const Reason& text) {
  emit(ReportEvent{level, id, text});
}

void Node::State::publish() {
  Heartbeat next = compose();
  const bool at_once = !ever_published || urgent(next, published);
  if (ever_published && next == published) return;
  published = next;
  ever_published = true;
  emit(PublishHeartbeat{next, at_once});
}

Heartbeat Node::State::compose() const {
  Heartbeat h;
  h.role = role;
  h.epoch = role == Role::primary ? epoch : known;
  h.table_epoch = table_epoch;
  h.leaving = leaving;
  h.dual_primary_seen = dual;
  h.health = vector;
  h.health_version = health_version;
  h.peer_health_version = peer.newest().health_version;
  rounds.write(h);
  h.replication = replication;
  h.protocol = config.protocol;
  h.cluster_digest = config.cluster_digest;
  h.paths_alive = peer.paths_alive();
  h.serial = config.serial;
  h.hostname = config.hostname;
  h.role_reason = role_reason;
  h.lost_interfaces = health.lost_interfaces();
  h.failed_module = health.first_failed();
  return h;
}

NodeGlance Node::glance() const {
  const State& s = *state_;
  const Heartbeat& peer = s.peer.newest();
  return {.role = s.role,
          .epoch = s.epoch,
          .addresses_held = !s.addresses_gone(),
          .in_transaction = s.transaction.running(),
          .peer_alive = s.peer.alive(),
          .peer_role = peer.role,
          .in_sync = s.in_sync(),
          .paths_alive = s.peer.paths_alive(),
          .peer_paths_alive = peer.paths_alive};
}

const Heartbeat& Node::peer() const {
  return state_->peer.newest();
}

NodeStatus Node::status(Instant now) const {
  const State& s = *state_;
  (void)now;
  NodeStatus status;
  status.self = s.self();
  status.role = s.role;
  status.epoch = s.epoch;
  status.table_epoch = s.table_epoch;
  status.role_since = s.role_since;
  status.role_reason = s.role_reason;
  status.forced = s.forced;
  status.health = s.vector;
  status.replication = s.replication;
  status.addresses_held = !s.addresses_gone();
  status.in_transaction = s.transaction.running();
  status.peer_known = s.peer.known();
  status.peer_alive = s.peer.alive();
  status.peer = s.peer.newest();
  const auto best = s.peer.best();
  for (PathId i = 0; i < kMaxPaths; ++i) {
    const PeerLiveness::Path& path = s.peer.path(i);
    status.paths[i] = {path.alive,      path.ever_heard, best == i,
                       path.last_heard, path.received,   path.lost};
  }
  status.verdict_known = s.verdict_known;
  status.verdict = s.verdict;
  status.in_sync = s.in_sync();
  status.protocol = s.agreed_protocol();
  status.sync_overdue = s.sync.overdue;
  status.suppressed = s.suppressed;
  status.conflict = s.conflict;
  s.list_failing(status.failing);
  status.lacking_here = s.partitions.lacking_here;
  status.lacking_there = s.partitions.lacking_there;
  status.dual_primary = s.dual;
  status.dual_primary_episodes = s.dual_episodes;
  return status;
}

}  // namespace hotpair::agent
