// A recording: what a node learned, in order, and what it then decided, so that the same decisions
// can be asked of the code again. RECORDING.md has the layout and a dump that is a test's vector.
//
// A file is one segment: it begins with everything that a node needs to go on from there, and its
// records are packed into blocks with a checksum each. No keys and no passwords are in it:
// heartbeats are recorded as they were understood.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "agent/core/action.hpp"
#include "agent/core/event.hpp"
#include "platform/base/bytes.hpp"

namespace hotpair::agent {

constexpr std::array<std::uint8_t, 4> kRecordingMagic{'H', 'P', 'R', 'C'};
constexpr std::uint16_t kRecordingVersion = 1;
constexpr std::size_t kRecordingHeaderSize = 8;  // magic, version u16, reserved u16
constexpr std::size_t kBlockHeaderSize = 8;      // size u32, CRC-32 of the records u32
constexpr std::size_t kMaxBlockSize = 1 << 20;
constexpr std::size_t kMaxPayloadSize = 48 * 1024;  // of one event, action or configuration

// Where a segment begins.
struct RecordingStart {
  ShortText<32> version;      // of the program
  std::uint64_t life_ms = 0;  // the wall clock when the node was constructed: which life of it
  std::uint64_t segment = 0;  // of that life, from 0
  bool continues = false;     // the segment before led here without a gap
  Instant at;
  std::uint64_t wall_ms = 0;  // the wall clock then, milliseconds since 1970
  PersistedState persisted;
};
struct Started {
  RecordingStart start;
  NodeConfig config;
  std::vector<std::uint8_t> snapshot;  // node_snapshot.hpp; empty: the node was just constructed
};
struct Outcome {
  std::vector<Action> actions;
  std::uint8_t check = 0;  // DecisionDigest
};
struct Stepped {
  Event event;
  Outcome outcome;
};
struct Reconfigured {
  Instant at;
  NodeConfig config;
  Outcome outcome;
};
// The wall clock was set, or is told again.
struct ClockSeen {
  Instant at;
  std::uint64_t wall_ms = 0;
};
// The disk did not keep up: so many steps are missing, and the segment ends.
struct RecordingGap {
  Instant at;
  std::uint64_t steps = 0;
};
struct RecordingEnd {  // orderly: of the program, or of this segment
  Instant at;
};
using Record = std::variant<Started, Stepped, Reconfigured, ClockSeen, RecordingGap, RecordingEnd>;

enum class RecordKind : std::uint8_t {
  start = 1,
  step = 2,
  beat = 3,  // a heartbeat like the one before, on any path
  reconfigure = 4,
  clock = 5,
  gap = 6,
  end = 7,
};

// Chains what came out of every step: the actions, the role, the epoch and when the node wants to
// look again. One byte a step tells the first difference with 255 in 256, and the next ones do.
class DecisionDigest {
 public:
  std::uint8_t add(Bytes actions, Role role, Epoch epoch, std::optional<Instant> deadline);

 private:
  std::uint64_t chain_ = 0;
};

// The actions as bytes, one canonical way: {kind u8, size u16, fields} each. Empty when `out` is
// too small, which kMaxActionsSize is not.
constexpr std::size_t kMaxActionsSize = 96 * 1024;
template <typename Range>  // of Action
Bytes encode_actions(const Range& actions, MutableBytes out);

std::uint32_t crc32(Bytes bytes);  // IEEE 802.3

}  // namespace hotpair::agent
