#include "agent/core/recording_replay.hpp"

#include "agent/core/node_snapshot.hpp"

namespace hotpair::agent {

struct Replay::State {
  std::optional<Node> node;
  DecisionDigest digest;
  std::optional<RecordingStart> present, ended;  // the segment; the one that ended in order
  Actions decided;
  std::uint64_t steps = 0;
  std::size_t missing = 0, unknown = 0;
  std::array<std::uint8_t, kMaxActionsSize> recorded_bytes, decided_bytes;

  Result<Replayed, std::string> begin(const Started& started);
  Replayed compare(Instant at, const Outcome& recorded);
};

Replay::Replay() : state_(std::make_unique<State>()) {}
Replay::~Replay() = default;
Replay::Replay(Replay&&) noexcept = default;

const Node* Replay::node() const {
  return state_->node ? &*state_->node : nullptr;
}
std::uint64_t Replay::steps() const {
  return state_->steps;
}
std::size_t Replay::missing_fields() const {
  return state_->missing;
}
std::size_t Replay::unknown_fields() const {
  return state_->unknown;
}

Result<Replayed, std::string> Replay::State::begin(const Started& started) {
  Replayed replayed;
  digest = DecisionDigest{};
  if (started.snapshot.empty()) {
    node.emplace(started.config, started.start.persisted, started.start.at);
  } else {
    auto read = NodeSnapshot::read(started.snapshot, started.config);
    if (!read)
      return fail("the node it begins with makes no sense: " + read.error() +
                  " has an impossible value");
    if (started.start.continues && ended && ended->life_ms == started.start.life_ms &&
        ended->segment + 1 == started.start.segment) {
      const MutableBytes room(decided_bytes);
      const std::size_t size = NodeSnapshot::write(*node, room);
      if (!std::ranges::equal(room.first(size), started.snapshot))
        replayed.difference = Replayed::Difference::snapshot;
    }
    missing += read->missing;
    unknown += read->unknown;
    node.emplace(std::move(read->node));
  }
  present = started.start;
  ended.reset();
  return replayed;
}

Replayed Replay::State::compare(Instant at, const Outcome& recorded) {
  ++steps;
  Replayed replayed;
  replayed.decided = &decided;
  const Bytes now = encode_actions(decided, decided_bytes);
  if (!std::ranges::equal(now, encode_actions(recorded.actions, recorded_bytes)))
    replayed.difference = Replayed::Difference::actions;
  const NodeStatus status = node->status(at);
  const std::uint8_t check = digest.add(now, status.role, status.epoch, node->next_deadline());
  if (check != recorded.check && replayed.difference == Replayed::Difference::none)
    replayed.difference = Replayed::Difference::state;
  return replayed;
}

Result<Replayed, std::string> Replay::take(const Record& record) {
  State& s = *state_;
  if (const auto* started = std::get_if<Started>(&record)) return s.begin(*started);
  if (!s.node) return fail(std::string("it does not begin with a beginning"));
  if (const auto* step = std::get_if<Stepped>(&record)) {
    s.node->step(step->event, s.decided);
    return s.compare(step->event.at, step->outcome);
  }
  if (const auto* changed = std::get_if<Reconfigured>(&record)) {
    s.node->reconfigure(changed->config, changed->at, s.decided);
    return s.compare(changed->at, changed->outcome);
  }
  if (std::holds_alternative<RecordingEnd>(record)) s.ended = s.present;
  return Replayed{};
}

}  // namespace hotpair::agent
