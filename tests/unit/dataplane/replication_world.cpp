#include "tests/unit/dataplane/replication_world.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace hotpair::dataplane::testing {
namespace {

constexpr Duration kLoop = 20us;  // a shell's loop takes at least this

std::unordered_map<SessionKey, SessionState, KeyHash> table_of(const Engine& engine) {
  Kernel sessions;
  std::optional<std::uint32_t> cursor = 0;
  while (cursor)
    cursor = engine.list(*cursor, 1000, [&](const Session& s) { sessions[s.key] = s.state; });
  return sessions;
}

// The kernel tells labels of which none is set as it tells none.
SessionState as_told(SessionState state) {
  if (!state.extras.has(Extras::kLabels)) return state;
  Extras extras = state.extras.copy();
  if (extras.labels == Extras{}.labels) extras.drop(Extras::kLabels);
  state.extras = SharedExtras::of(std::move(extras));
  return state;
}

bool same(const Kernel& a, const Kernel& b, bool with_timeouts) {
  if (a.size() != b.size()) return false;
  return std::all_of(a.begin(), a.end(), [&](const auto& entry) {
    const auto found = b.find(entry.first);
    if (found == b.end()) return false;
    SessionState one = as_told(entry.second), other = as_told(found->second);
    if (!with_timeouts) other.timeout_s = one.timeout_s;
    return one == other;
  });
}

}  // namespace

World::World(std::uint64_t seed, std::uint32_t max_sessions)
    : rng_(seed), max_sessions_(max_sessions) {
  for (Node& node : nodes_) node.engine = make_engine(node);
  nodes_[0].engine->set_role(Role::primary, epoch_, now_);
  nodes_[1].engine->set_role(Role::backup, epoch_, now_);
}

std::unique_ptr<Engine> World::make_engine(Node& node) {
  EngineConfig config;
  config.max_sessions = max_sessions_;
  config.seed = rng_.next();
  config.pickup.enabled = true;
  return std::make_unique<Engine>(config, node, now_);
}

void World::run(Duration time) {
  const Instant end = now_ + time;
  while (now_ < end) {
    const Instant last = now_;
    now_ = std::min(end, std::max(now_ + kLoop, next_event().value_or(end)));
    HOTPAIR_ASSERT(now_ > last);
    step();
  }
}

bool World::run_until_in_sync(Duration most) {
  for (const Instant end = now_ + most; now_ < end;) {
    run(10ms);
    if (at_rest() && primary().engine->status(now_).in_sync) return true;
  }
  return false;
}

std::optional<Instant> World::next_event() const {
  std::optional<Instant> next;
  const auto sooner = [&next](Instant at) { next = next ? std::min(*next, at) : at; };
  if (!packets_.empty()) sooner(packets_.top().at);
  if (changes_per_s > 0) sooner(traffic_at_);
  if (dump_running()) sooner(now_);
  for (const Node& node : nodes_)
    if (const auto due = node.engine->next_deadline(now_)) sooner(*due);
  return next;
}

void World::step() {
  deliver_due();
  // A kernel tells what happens in it in order: that they came, before what the traffic does to
  // them.
  for (Node& node : nodes_)
    for (const Session& session : std::exchange(node.merged, {}))
      node.engine->upsert(session, now_);
  for (; changes_per_s > 0 && traffic_at_ <= now_;
       traffic_at_ += Duration(1'000'000'000 / static_cast<std::int64_t>(changes_per_s)))
    change_something();
  traffic_at_ = std::max(traffic_at_, now_);
  if (dumps_when_wanted && !dump_running() && primary().engine->dump_wanted()) start_dump();
  feed_dump();
  for (std::size_t i = 0; i < nodes_.size(); ++i) pump(i);
}

void World::pump(std::size_t node) {
  std::array<std::uint8_t, 1400> buffer;
  Engine& engine = *nodes_[node].engine;
  engine.work(now_);
  if (engine.renewal() == Renewal::rewrite)
    engine.refresh(now_, 64, [&](const Session& s) { nodes_[node].write(s); });
  for (int i = 0; i < 64; ++i) {
    const std::size_t size = engine.next_frame(now_, buffer);
    if (size == 0) return;
    ++frames_;
    send(1 - node, Bytes(buffer).first(size));
  }
}

void World::send(std::size_t to, Bytes bytes) {
  if (weather.cut || rng_.chance(weather.loss_percent, 100)) return;
  const auto spread =
      static_cast<std::uint64_t>((weather.most_delay - weather.least_delay).count());
  for (int copies = rng_.chance(weather.duplicate_percent, 100) ? 2 : 1; copies > 0; --copies) {
    const Duration delay = weather.least_delay + Duration(rng_.below(spread + 1));
    packets_.push({now_ + delay, order_++, to, {bytes.begin(), bytes.end()}});
  }
}

void World::deliver_due() {
  while (!packets_.empty() && packets_.top().at <= now_) {
    const Packet packet = packets_.top();
    packets_.pop();
    nodes_[packet.to].engine->on_frame(packet.bytes, now_);
  }
}

// One session of the primary's kernel begins, changes or ends.
void World::change_something() {
  Node& node = primary();
  const SessionKey key = made_key(rng_.below(keys));
  const auto found = node.kernel.find(key);
  if (found == node.kernel.end()) {
    const Session session = made_session(key, rng_);
    node.kernel[key] = session.state;
    if (!events_lost) node.engine->begin(session, now_);
  } else if (rng_.chance(1, 4)) {
    node.kernel.erase(found);
    if (!events_lost) node.engine->destroy(key, now_);
  } else {
    if (rng_.chance(1, 10)) found->second.mark = static_cast<std::uint32_t>(rng_.next());
    change_often_changing(found->second, key.protocol, rng_);
    if (!events_lost) node.engine->upsert({key, found->second}, now_);
  }
}

void World::start_dump() {
  dump_.clear();
  for (const auto& [key, state] : primary().kernel) {
    dump_.push_back({key, state});
    dump_.back().state.timeout_s /= 2;  // a dump tells what is left
  }
  ending_dump_ = true;
  primary().engine->begin_dump();
}

void World::feed_dump() {
  for (int i = 0; i < 20 && !dump_.empty(); ++i) {
    primary().engine->dump_entry(dump_.back(), now_);
    dump_.pop_back();
  }
  if (!ending_dump_ || !dump_.empty()) return;
  primary().engine->end_dump(true);
  ending_dump_ = false;
}

void World::swap_roles() {
  // What the demoted data plane never heard of runs out in its kernel.
  std::erase_if(primary().kernel, [&](const auto& e) { return !primary().engine->find(e.first); });
  primary().engine->set_role(Role::backup, epoch_, now_);
  primary_ = 1 - primary_;
  primary().engine->set_role(Role::primary, ++epoch_, now_);
  start_dump();
}

void World::restart_backup() {
  backup().kernel.clear();  // its entries run out by their hold timeout
  backup().engine = make_engine(backup());
  backup().engine->set_role(Role::backup, epoch_, now_);
}

void World::restart_primary() {
  primary().engine = make_engine(primary());
  primary().engine->set_role(Role::primary, epoch_, now_);
  start_dump();
}

void World::crash_and_take_over() {
  Node& dead = primary();
  primary_ = 1 - primary_;
  primary().engine->set_role(Role::primary, ++epoch_, now_);
  start_dump();
  dead.kernel.clear();
  dead.engine = make_engine(dead);
  dead.engine->set_role(Role::backup, epoch_ - 1, now_);
}

bool World::flip_bit(Node& node) {
  SessionTable& table = node.engine->table_for_test();
  if (table.size() == 0) return false;
  for (;;) {
    Slot& slot = table.slot(static_cast<std::uint32_t>(rng_.below(table.high_water())));
    if (!slot.live()) continue;
    CompactSession& session = slot.session;
    const auto bit = static_cast<std::uint32_t>(1u << rng_.below(32));
    switch (rng_.below(6)) {
      case 0:
        session.mark ^= bit;
        break;
      case 1:
        session.timeout_s ^= bit;
        break;
      case 2:
        session.src ^= bit;
        break;
      case 3:
        session.form = static_cast<std::uint8_t>(session.form ^ 1u << rng_.below(8));
        break;
      case 4:
        session.side ^= bit;
        break;
      default:
        session.tcp_flags_reply ^= 4;
        break;
    }
    return true;
  }
}

std::string World::difference() {
  const Kernel primary_table = table_of(*primary().engine),
               backup_table = table_of(*backup().engine);
  if (!same(primary_table, backup_table, true))
    return "tables differ: " + std::to_string(primary_table.size()) + " and " +
           std::to_string(backup_table.size()) + " sessions";
  if (!same(primary().kernel, primary_table, false))
    return "the primary's kernel differs from its table: " +
           std::to_string(primary().kernel.size()) + " and " +
           std::to_string(primary_table.size()) + " sessions";
  // A node that gave the role away rewrites its kernel in its own time.
  if (backup().engine->renewal() == Renewal::rewrite) return "";
  if (!same(backup().kernel, backup_table, true))
    return "the backup's kernel differs from its table: " + std::to_string(backup().kernel.size()) +
           " and " + std::to_string(backup_table.size()) + " sessions";
  return "";
}

std::string World::account() {
  std::string text;
  for (const Node& node : nodes_) {
    const EngineStatus s = node.engine->status(now_);
    text += "\nnode: role " + std::to_string(static_cast<int>(s.role)) + ", in sync " +
            std::to_string(s.in_sync) + ", peer heard " + std::to_string(s.peer_heard) + ", bulk " +
            std::to_string(s.bulk_running) + ", lag " + std::to_string(s.lag_sessions) + ", " +
            std::to_string(to_us(s.lag)) + " us, round trip " +
            std::to_string(to_us(s.round_trip)) + " us, dump wanted " +
            std::to_string(node.engine->dump_wanted()) + "\n";
    for_each_counter(node.engine->counters(), [&](auto name, std::uint64_t value, auto) {
      if (value > 0) text += "  " + std::string(name) + " " + std::to_string(value);
    });
  }
  return text;
}

}  // namespace hotpair::dataplane::testing
