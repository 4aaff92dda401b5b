// The body of a session-sync frame (what is sealed), as documented in dataplane/WIRE.md. Values in,
// bytes out and back; decoding never reads beyond the body and refuses what is not exactly well
// formed.
//
// Primary to backup: data (records) and marker (asks for digests; sequence 0: a probe that only
// asks for an acknowledgement). Backup to primary: ack, report (digests as of a marker) and offer
// (sessions of its own time as a primary; create records whose ids mean nothing).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "dataplane/core/session.hpp"
#include "platform/base/bytes.hpp"

namespace hotpair::dataplane {

constexpr std::size_t kMinFrame = 1200, kMaxFrame = 9000;  // bytes of a body buffer
constexpr std::size_t kHeaderSize = 32;
constexpr std::size_t kMaxPlainRecord = 100;      // no record without extras is longer
constexpr std::size_t kMaxRecord = 1064;          // no record is longer: any fits an empty frame
constexpr std::size_t kMaxRecordsPerFrame = 512;  // bounds what is remembered of a frame in flight
constexpr std::uint32_t kWindowFrames =
    1024;  // frames in flight, and frames the receiver remembers
constexpr std::size_t kMaxAckWords = kWindowFrames / 64;
constexpr std::uint32_t kBucketsPerReport = 64;
constexpr std::uint16_t kAllBuckets = 0xffff;  // in a sweep record

enum class FrameKind : std::uint8_t { data = 1, marker = 2, ack = 3, report = 4, offer = 5 };
constexpr std::uint8_t kFlagInSync = 1;  // the primary's word that the backup is in sync

struct FrameHeader {
  FrameKind kind = FrameKind::data;
  std::uint8_t flags = 0;
  std::uint16_t span = 0;    // data, marker: sequence minus the oldest frame not yet settled
  std::uint32_t stream = 0;  // which run through the table, counted by the primary
  std::uint64_t epoch = 0;
  std::uint32_t sender = 0;    // instance number of who sends
  std::uint32_t receiver = 0;  // instance number of who is meant; 0: whoever listens
  std::uint64_t sequence = 0;  // data, marker: of the frame; ack, report: of the acknowledgement
  friend bool operator==(const FrameHeader&, const FrameHeader&) = default;
};

enum class RecordKind : std::uint8_t { sweep = 0, create = 1, update = 2, remove = 3 };

struct Record {
  RecordKind kind = RecordKind::create;
  std::uint16_t bucket = 0;  // sweep: a bucket or kAllBuckets
  std::uint32_t id = 0;      // the others
  std::uint64_t from = 0;    // sweep: sessions last named before this frame are gone
  Session session;           // create: all; update: only the often changing part of the state
  friend bool operator==(const Record&, const Record&) = default;
};

struct Marker {
  enum class Want : std::uint8_t { nothing = 0, summary = 1, digests = 2 };
  std::uint32_t round = 0;
  Want want = Want::nothing;
  std::uint64_t sessions = 0;  // live sessions of the primary
  friend bool operator==(const Marker&, const Marker&) = default;
};

// Which frames were received: bit i of word w stands for frame newest - (64 w + i).
struct Received {
  std::uint64_t newest = 0;  // 0: none of this stream
  std::uint16_t words = 0;   // used of `bits`
  std::array<std::uint64_t, kMaxAckWords> bits{};
  bool has(std::uint64_t sequence) const;
  friend bool operator==(const Received&, const Received&) = default;
};

struct Ack {
  std::uint16_t credit = 0;    // frames the backup is ready to have under way
  std::uint32_t delay_us = 0;  // since `newest` came in
  std::uint64_t sessions = 0;  // of the backup
  Received received;
  friend bool operator==(const Ack&, const Ack&) = default;
};

struct Report {
  std::uint32_t round = 0;
  std::uint16_t first_bucket = 0, count = 0;  // of `digests`; none in a summary
  std::uint64_t marker = 0;  // sequence of the marker; what was received when it came stands below
  std::uint64_t sessions = 0, root = 0;
  Received received;
  std::array<std::uint64_t, kBucketsPerReport> digests{};
  friend bool operator==(const Report&, const Report&) = default;
};

void encode_header(const FrameHeader& header, ByteWriter& out);
std::optional<FrameHeader> decode_header(ByteReader& in);

// Bytes written to `out`; 0 when it does not fit. The session is normalised.
std::size_t encode_record(const Record& record, MutableBytes out);
// The same for a session in place: create, update or remove.
std::size_t encode_session(RecordKind kind, std::uint32_t id, const Session& session,
                           MutableBytes out);
bool decode_record(ByteReader& in, Record& out);  // false: malformed, `out` is undefined
inline void encode_record_count(std::uint16_t count, std::uint8_t* body) {
  store_be<std::uint16_t>(body + kHeaderSize, count);
}

void encode(const Marker& marker, ByteWriter& out);
void encode(const Ack& ack, ByteWriter& out);
void encode(const Report& report, ByteWriter& out);
bool decode(ByteReader& in, Marker& out);  // each: false when malformed or bytes are left over
bool decode(ByteReader& in, Ack& out);
bool decode(ByteReader& in, Report& out);

}  // namespace hotpair::dataplane
