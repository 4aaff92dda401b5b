#include "agent/core/recording_reader.hpp"

#include "agent/core/node_snapshot.hpp"
#include "agent/core/recording_wire.hpp"

namespace hotpair::agent {

using namespace recording_wire;

namespace {

// A configuration that the daemon would never have let through could make the core's sums overflow.
std::string implausible(const NodeConfig& config) {
  constexpr Duration kLongest = 24h * 366;
  if (config.interval <= 0ns || config.interval > 1h) return "interval";
  if (config.lost_threshold < 1 || config.lost_threshold > 1000) return "lost_threshold";
  for (const Duration d :
       {config.uptime_margin, config.hold, config.hello_holddown, config.witness_patience,
        config.sync_timeout, config.flap_backoff, config.flap_backoff_max})
    if (d < 0ns || d > kLongest) return "(a duration)";
  for (const RemoteMonitorConfig& monitor : config.remote_monitors)
    if (monitor.settle < 0ns || monitor.settle > kLongest) return "remote_monitors.settle";
  return {};
}

bool in_range(const HeartbeatReceived& event) {
  return event.path < kMaxPaths && event.heard_at != Instant::max();
}
bool in_range(const MismatchSeen& event) {
  return event.path < kMaxPaths && event.heard_at != Instant::max();
}
bool in_range(const HeartbeatLinkChanged& event) {
  return event.path < kMaxPaths;
}
bool in_range(const auto&) {
  return true;
}

}  // namespace

std::string RecordingError::text() const {
  const std::string where = " at byte " + std::to_string(offset);
  switch (kind) {
    case Kind::not_a_recording:
      return "not a recording of hotpaird: it does not begin with HPRC";
    case Kind::other_version:
      return "recorded in format version " + detail + ", this program reads version " +
             std::to_string(kRecordingVersion);
    case Kind::cut:
      return "the file ends within a block" + where +
             ": it was cut, or copied while it was written; what stands before is whole";
    case Kind::checksum:
      return "the block" + where + " is damaged: its checksum is not that of its bytes";
    case Kind::record:
      return "the record" + where + " makes no sense: " + detail;
  }
  return "damaged" + where;
}

struct RecordingReader::State {
  Bytes file;
  std::size_t block_at = 0;  // where the present block's records begin in the file
  std::size_t next_block = 0;
  ByteReader block{Bytes{}};
  bool begun = false, started = false;
  Memory memory;
  std::optional<ChassisId> self;
  std::size_t missing = 0, unknown = 0;
  std::optional<RecordingError> error;
  std::string problem;  // of the record being read

  bool fail_with(RecordingError::Kind kind, std::size_t offset, std::string detail = {}) {
    error = RecordingError{kind, offset, std::move(detail)};
    return false;
  }
  bool complain(std::string what) {
    if (problem.empty()) problem = std::move(what);
    return false;
  }
  bool open_file();
  bool open_block();
  // False: see `problem`; where it is empty, the block ended too early.
  bool take_record(Record& out);
  bool take_start(Started& out);
  bool take_step(bool acted, Stepped& out);
  bool take_beat(PathId path, bool acted, Stepped& out);
  bool take_reconfigured(bool acted, Reconfigured& out);
  bool take_at(Instant& at);
  bool take_signed(std::int64_t& value);
  bool take_outcome(bool acted, Outcome& out);
  bool take_config(Bytes payload, NodeConfig& config);
  template <typename T>
  bool take_fields(Bytes payload, T& value, std::string_view what);
  template <typename... Kinds>
  bool take_kind(std::uint8_t number, Bytes payload, std::variant<Kinds...>& value);
};

RecordingReader::RecordingReader(Bytes file) : state_(std::make_unique<State>()) {
  state_->file = file;
}
RecordingReader::~RecordingReader() = default;
RecordingReader::RecordingReader(RecordingReader&&) noexcept = default;

std::size_t RecordingReader::offset() const {
  return state_->block_at + state_->block.position();
}
std::size_t RecordingReader::missing_fields() const {
  return state_->missing;
}
std::size_t RecordingReader::unknown_fields() const {
  return state_->unknown;
}

Result<bool, RecordingError> RecordingReader::next(Record& record) {
  State& s = *state_;
  if (s.error) return fail(*s.error);
  if (!s.begun && !s.open_file()) return fail(*s.error);
  while (s.block.remaining() == 0) {
    if (s.next_block == s.file.size()) return false;
    if (!s.open_block()) return fail(*s.error);
  }
  const std::size_t at = offset();
  s.problem.clear();
  if (s.take_record(record)) return true;
  s.fail_with(RecordingError::Kind::record, at,
              s.problem.empty() ? "it is longer than its block" : s.problem);
  return fail(*s.error);
}

bool RecordingReader::State::open_file() {
  begun = true;
  ByteReader in(file);
  const Bytes magic = in.take(kRecordingMagic.size());
  const std::uint16_t version = in.u16();
  const std::uint16_t reserved = in.u16();
  if (in.failed() || !std::ranges::equal(magic, kRecordingMagic))
    return fail_with(RecordingError::Kind::not_a_recording, 0);
  if (version != kRecordingVersion || reserved != 0)
    return fail_with(RecordingError::Kind::other_version, 4, std::to_string(version));
  next_block = in.position();
  return true;
}

bool RecordingReader::State::open_block() {
  ByteReader in(file.subspan(next_block));
  const std::uint32_t size = in.u32();
  const std::uint32_t checksum = in.u32();
  if (in.failed() || (size <= kMaxBlockSize && size > in.remaining()))
    return fail_with(RecordingError::Kind::cut, next_block);
  if (size == 0 || size > kMaxBlockSize)
    return fail_with(RecordingError::Kind::checksum, next_block);
  const Bytes records = in.take(size);
  if (crc32(records) != checksum) return fail_with(RecordingError::Kind::checksum, next_block);
  block_at = next_block + kBlockHeaderSize;
  next_block = block_at + size;
  block = ByteReader(records);
  return true;
}

bool RecordingReader::State::take_record(Record& out) {
  const std::uint8_t head = block.u8();
  const auto kind = static_cast<RecordKind>(head & kKindMask);
  const bool acted = (head & kActed) != 0;
  const auto path = static_cast<PathId>((head & ~(kActed | kKindMask)) >> kPathShift);
  if (started == (kind == RecordKind::start))
    return complain(started ? "a second beginning" : "it is not a beginning");
  if (path != 0 && kind != RecordKind::beat) return complain("unknown bits");
  switch (kind) {
    case RecordKind::start:
      return take_start(out.emplace<Started>());
    case RecordKind::step:
      return take_step(acted, out.emplace<Stepped>());
    case RecordKind::beat:
      return take_beat(path, acted, out.emplace<Stepped>());
    case RecordKind::reconfigure:
      return take_reconfigured(acted, out.emplace<Reconfigured>());
    case RecordKind::clock: {
      auto& seen = out.emplace<ClockSeen>();
      if (!take_at(seen.at)) return false;
      const auto wall = take_varint(block);
      seen.wall_ms = wall.value_or(0);
      return wall.has_value();
    }
    case RecordKind::gap: {
      auto& gap = out.emplace<RecordingGap>();
      if (!take_at(gap.at)) return false;
      const auto steps = take_varint(block);
      gap.steps = steps.value_or(0);
      return steps.has_value();
    }
    case RecordKind::end:
      return take_at(out.emplace<RecordingEnd>().at);
  }
  return complain("kind " + std::to_string(head & kKindMask) + " is not known");
}

bool RecordingReader::State::take_signed(std::int64_t& value) {
  const auto taken = take_varint(block);
  if (taken) value = unzigzag(*taken);
  return taken.has_value();
}

bool RecordingReader::State::take_at(Instant& at) {
  std::int64_t delta = 0;
  if (!take_signed(delta)) return false;
  if (delta > kLargestTime || delta < -kLargestTime) return complain("its time");
  const std::int64_t count = memory.at.time_since_epoch().count() + delta;
  if (count > kLargestTime || count < -kLargestTime) return complain("its time");
  at = memory.at = Instant(Duration(count));
  return true;
}

template <typename T>
bool RecordingReader::State::take_fields(Bytes payload, T& value, std::string_view what) {
  FieldReader reader(payload);
  const bool good = reader.fields(value);
  if (!good) problem = std::string(what) + ": " + reader.error() + " has an impossible value";
  missing += reader.missing();
  unknown += reader.unknown();
  return good;
}

bool RecordingReader::State::take_config(Bytes payload, NodeConfig& config) {
  if (!take_fields(payload, config, "the configuration")) return false;
  if (self && *self != config.self) problem = "the configuration: another chassis id";
  if (const std::string field = implausible(config); !field.empty())
    problem = "the configuration: " + field + " has an impossible value";
  return problem.empty();
}

bool RecordingReader::State::take_start(Started& out) {
  const auto sized = [this]() -> std::optional<Bytes> {
    const auto size = take_varint(block);
    if (!size || *size > kMaxPayloadSize || *size > block.remaining()) return std::nullopt;
    return block.take(*size);
  };
  const auto fields = sized(), config = sized(), snapshot = sized();
  if (!fields || !config || !snapshot) return false;
  if (!take_fields(*fields, out.start, "the beginning") || !take_config(*config, out.config))
    return false;
  if (out.start.at == Instant::max()) return complain("the beginning: its time");
  out.snapshot.assign(snapshot->begin(), snapshot->end());
  started = true;
  self = out.config.self;
  memory.at = out.start.at;
  return true;
}

template <typename... Kinds>
bool RecordingReader::State::take_kind(std::uint8_t number, Bytes payload,
                                       std::variant<Kinds...>& value) {
  bool known = false, good = false;
  const auto take_as = [&]<typename Kind>(Kind what) {
    if (RecordedKind<Kind>::kNumber != number) return;
    known = true;
    if constexpr (Listed<Kind>)
      good = take_fields(payload, what, RecordedKind<Kind>::kName) && in_range(what);
    else
      good = payload.empty();
    value = std::move(what);
  };
  (take_as(Kinds{}), ...);
  if (!known) problem = "what happened or was done, " + std::to_string(number) + ", is not known";
  if (!good && problem.empty()) problem = "an index or a time out of range";
  return good;
}

bool RecordingReader::State::take_outcome(bool acted, Outcome& out) {
  out.check = block.u8();
  const std::size_t count = acted ? block.u8() : 0;
  if (count > Actions::capacity()) return complain("too many actions");
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t number = block.u8();
    if (number >= kKinds) return complain("an unknown action");
    const auto payload = take_payload(block, memory.actions[number]);
    if (!payload) return complain("an action is longer than its block");
    if (!take_kind(number, *payload, out.actions.emplace_back())) return false;
  }
  return !block.failed();
}

bool RecordingReader::State::take_step(bool acted, Stepped& out) {
  if (!take_at(out.event.at)) return false;
  const std::uint8_t number = block.u8();
  if (number >= kKinds) return complain("an unknown event");
  const auto payload = take_payload(block, memory.events[number]);
  if (!payload) return complain("its event is longer than its block");
  if (!take_kind(number, *payload, out.event.what)) return false;
  if (const auto* heard = std::get_if<HeartbeatReceived>(&out.event.what)) {
    memory.sequence[heard->path] = heard->heartbeat.sequence;
    memory.heartbeat = without_stamps(heard->heartbeat);
    memory.heard = true;
  }
  return take_outcome(acted, out.outcome);
}

bool RecordingReader::State::take_beat(PathId path, bool acted, Stepped& out) {
  std::int64_t lag = 0, sequence = 0;
  if (!take_at(out.event.at) || !take_signed(lag) || !take_signed(sequence)) return false;
  const auto age = take_varint(block);
  if (!age) return false;
  if (path >= kMaxPaths || !memory.heard) return complain("a heartbeat like none before");
  if (*age > ~std::uint32_t{0}) return complain("the age of the sender's loop");
  if (lag > kLargestTime || lag < -kLargestTime) return complain("when it was heard");
  auto& heard = out.event.what.emplace<HeartbeatReceived>();
  heard.path = path;
  heard.heard_at = out.event.at - Duration(lag);
  heard.heartbeat = memory.heartbeat;
  heard.heartbeat.sequence = memory.sequence[path] += static_cast<std::uint64_t>(sequence) + 1;
  heard.heartbeat.loop_age_us = static_cast<std::uint32_t>(*age);
  return take_outcome(acted, out.outcome);
}

bool RecordingReader::State::take_reconfigured(bool acted, Reconfigured& out) {
  if (!take_at(out.at)) return false;
  const auto payload = take_payload(block, memory.config);
  if (!payload) return complain("its configuration is longer than its block");
  return take_config(*payload, out.config) && take_outcome(acted, out.outcome);
}

}  // namespace hotpair::agent
