#include "agent/core/recording_writer.hpp"

#include "agent/core/node_snapshot.hpp"
#include "agent/core/recording_wire.hpp"

namespace hotpair::agent {

using namespace recording_wire;

struct RecordingWriter::State {
  Memory memory;
  DecisionDigest digest;
  bool file_begun = false;
  std::vector<std::uint8_t> pending;  // blocks; the last one is open
  std::size_t block_at = 0;           // where its records begin; 0: none is open
  std::array<std::uint8_t, 2 * kMaxActionsSize> record;
  std::array<std::uint8_t, kMaxActionsSize> actions;
  std::array<std::uint8_t, kMaxPayloadSize> payload;

  void open_block();
  void close_block();
  void append(const ByteWriter& record);
  void put_at(ByteWriter& out, Instant at);
  bool put_beat(ByteWriter& out, const Event& event, bool acted);
  void put_event(ByteWriter& out, const Event& event, bool acted);
  void put_outcome(ByteWriter& out, const Actions& actions, const Node& after);
  template <typename Fields>
  Bytes payload_of(const Fields& fields);
};

namespace {

std::uint8_t head(RecordKind kind, bool acted, PathId path = 0) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(kind) |
                                   (static_cast<unsigned>(path) << kPathShift) |
                                   (acted ? kActed : 0u));
}

void put_sized(ByteWriter& out, Bytes bytes) {
  put_varint(out, bytes.size());
  out.put(bytes);
}

}  // namespace

RecordingWriter::RecordingWriter() : state_(std::make_unique<State>()) {}
RecordingWriter::~RecordingWriter() = default;
RecordingWriter::RecordingWriter(RecordingWriter&&) noexcept = default;
RecordingWriter& RecordingWriter::operator=(RecordingWriter&&) noexcept = default;

void RecordingWriter::State::open_block() {
  if (!file_begun) {
    std::array<std::uint8_t, kRecordingHeaderSize> header{};
    ByteWriter out(header);
    out.put(Bytes(kRecordingMagic));
    out.u16(kRecordingVersion);
    pending.insert(pending.end(), header.begin(), header.end());
    file_begun = true;
  }
  pending.resize(pending.size() + kBlockHeaderSize);
  block_at = pending.size();
}

void RecordingWriter::State::close_block() {
  if (block_at == 0) return;
  const Bytes records = Bytes(pending).subspan(block_at);
  std::uint8_t* const header = pending.data() + block_at - kBlockHeaderSize;
  store_be(header, static_cast<std::uint32_t>(records.size()));
  store_be(header + 4, crc32(records));
  block_at = 0;
}

void RecordingWriter::State::append(const ByteWriter& out) {
  HOTPAIR_ASSERT(!out.failed());
  if (block_at != 0 && pending.size() - block_at + out.size() > kMaxBlockSize) close_block();
  if (block_at == 0) open_block();
  const Bytes bytes = out.written();
  pending.insert(pending.end(), bytes.begin(), bytes.end());
}

template <typename Fields>
Bytes RecordingWriter::State::payload_of(const Fields& fields) {
  ByteWriter out(payload);
  if constexpr (Listed<Fields>) FieldWriter(out).fields(fields);
  HOTPAIR_ASSERT(!out.failed());
  return out.written();
}

void RecordingWriter::State::put_at(ByteWriter& out, Instant at) {
  put_varint(out, zigzag(since(at, memory.at)));
  memory.at = at;
}

void RecordingWriter::start(const RecordingStart& start, const NodeConfig& config,
                            const Node* node) {
  State& s = *state_;
  s.memory = Memory{};
  s.digest = DecisionDigest{};
  s.file_begun = false;
  s.pending.clear();
  s.block_at = 0;
  ByteWriter out(s.record);
  out.u8(head(RecordKind::start, false));
  put_sized(out, s.payload_of(start));
  put_sized(out, s.payload_of(config));
  const std::size_t snapshot = node != nullptr ? NodeSnapshot::write(*node, s.payload) : 0;
  HOTPAIR_ASSERT(node == nullptr || snapshot != 0);
  put_sized(out, Bytes(s.payload).first(snapshot));
  s.append(out);
  s.memory.at = start.at;
}

// True when it says no more than the one before.
bool RecordingWriter::State::put_beat(ByteWriter& out, const Event& event, bool acted) {
  const auto* const heard = std::get_if<HeartbeatReceived>(&event.what);
  if (heard == nullptr || heard->path >= kMaxPaths) return false;
  auto& last = memory.sequence[heard->path];
  const std::uint64_t expected = std::exchange(last, heard->heartbeat.sequence) + 1;
  Heartbeat lasting = without_stamps(heard->heartbeat);
  const bool beat = memory.heard && !heard->new_association && lasting == memory.heartbeat;
  if (!beat) {
    memory.heard = true;
    memory.heartbeat = lasting;
    return false;
  }
  out.u8(head(RecordKind::beat, acted, heard->path));
  put_at(out, event.at);
  put_varint(out, zigzag(since(event.at, heard->heard_at)));
  put_varint(out, zigzag(static_cast<std::int64_t>(heard->heartbeat.sequence - expected)));
  put_varint(out, heard->heartbeat.loop_age_us);
  return true;
}

void RecordingWriter::State::put_event(ByteWriter& out, const Event& event, bool acted) {
  if (put_beat(out, event, acted)) return;
  out.u8(head(RecordKind::step, acted));
  put_at(out, event.at);
  std::visit(
      [&](const auto& what) {
        constexpr std::uint8_t kNumber = RecordedKind<std::decay_t<decltype(what)>>::kNumber;
        out.u8(kNumber);
        put_payload(out, payload_of(what), memory.events[kNumber]);
      },
      event.what);
}

void RecordingWriter::State::put_outcome(ByteWriter& out, const Actions& done, const Node& after) {
  const NodeStatus status = after.status(memory.at);
  const Bytes encoded = encode_actions(done, actions);
  HOTPAIR_ASSERT(done.empty() || !encoded.empty());
  out.u8(digest.add(encoded, status.role, status.epoch, after.next_deadline()));
  if (done.empty()) return;
  out.u8(static_cast<std::uint8_t>(done.size()));
  for (ByteReader in(encoded); in.remaining() > 0;) {
    const std::uint8_t kind = in.u8();
    const Bytes fields = in.take(in.u16());
    out.u8(kind);
    put_payload(out, fields, memory.actions[kind]);
  }
}

void RecordingWriter::stepped(const Event& event, const Actions& actions, const Node& after) {
  ByteWriter out(state_->record);
  state_->put_event(out, event, !actions.empty());
  state_->put_outcome(out, actions, after);
  state_->append(out);
}

void RecordingWriter::reconfigured(Instant at, const NodeConfig& config, const Actions& actions,
                                   const Node& after) {
  State& s = *state_;
  ByteWriter out(s.record);
  out.u8(head(RecordKind::reconfigure, !actions.empty()));
  s.put_at(out, at);
  put_payload(out, s.payload_of(config), s.memory.config);
  s.put_outcome(out, actions, after);
  s.append(out);
}

void RecordingWriter::clock(Instant at, std::uint64_t wall_ms) {
  ByteWriter out(state_->record);
  out.u8(head(RecordKind::clock, false));
  state_->put_at(out, at);
  put_varint(out, wall_ms);
  state_->append(out);
}

void RecordingWriter::gap(Instant at, std::uint64_t steps) {
  ByteWriter out(state_->record);
  out.u8(head(RecordKind::gap, false));
  state_->put_at(out, at);
  put_varint(out, steps);
  state_->append(out);
}

void RecordingWriter::end(Instant at) {
  ByteWriter out(state_->record);
  out.u8(head(RecordKind::end, false));
  state_->put_at(out, at);
  state_->append(out);
}

std::size_t RecordingWriter::pending() const {
  return state_->pending.size();
}

std::vector<std::uint8_t> RecordingWriter::take() {
  state_->close_block();
  return std::exchange(state_->pending, {});
}

}  // namespace hotpair::agent
