// The codec: what is written is read back, nothing malformed is taken, nothing is read beyond the
// end. The golden vectors are the hex dumps of dataplane/WIRE.md, read from there:
// wire_document_test.cpp.
#include "dataplane/core/delta_wire.hpp"

#include <gtest/gtest.h>

#include "tests/unit/dataplane/made_sessions.hpp"

namespace hotpair::dataplane {

// For messages of failing tests, and because padding must not be printed.
void PrintTo(const Record& r, std::ostream* out) {
  *out << "record of kind " << static_cast<int>(r.kind) << " for id " << r.id;
}

namespace testing {
namespace {

Record made_record(std::uint64_t n, Rng& rng) {
  Record r;
  r.kind = static_cast<RecordKind>(rng.below(4));
  if (r.kind == RecordKind::sweep) {
    r.bucket = rng.chance(1, 4) ? kAllBuckets : static_cast<std::uint16_t>(rng.below(kBuckets));
    r.from = rng.next();
    return r;
  }
  r.id = static_cast<std::uint32_t>(rng.next());
  if (r.kind == RecordKind::remove) return r;
  const Session s = made_session(made_key(n), rng);
  if (r.kind == RecordKind::create) {
    r.session = s;
    if (rng.chance(1, 10) && s.key.protocol == kProtocolUdp) r.session.key.protocol = kProtocolIcmp;
    return r;
  }
  r.session.key.protocol = s.key.protocol;
  r.session.state.status = s.state.status;
  r.session.state.timeout_s = s.state.timeout_s;
  r.session.state.tcp_state = s.state.tcp_state;
  r.session.state.tcp_flags_original = s.state.tcp_flags_original;
  r.session.state.tcp_flags_reply = s.state.tcp_flags_reply;
  return r;
}

TEST(DeltaRecord, WhatIsEncodedIsDecodedAgain) {
  Rng rng(1);
  std::array<std::uint8_t, kMaxRecord> bytes;
  for (std::uint64_t n = 0; n < 20'000; ++n) {
    const Record record = made_record(n, rng);
    const std::size_t size = encode_record(record, bytes);
    ASSERT_GT(size, 0u);
    ByteReader in(Bytes(bytes).first(size));
    Record back;
    ASSERT_TRUE(decode_record(in, back));
    ASSERT_EQ(in.remaining(), 0u);
    ASSERT_EQ(back, record);
  }
}

TEST(DeltaRecord, ARecordCutShortAnywhereIsRefused) {
  Rng rng(2);
  std::array<std::uint8_t, kMaxRecord> bytes;
  for (std::uint64_t n = 0; n < 500; ++n) {
    const std::size_t size = encode_record(made_record(n, rng), bytes);
    for (std::size_t cut = 0; cut < size; ++cut) {
      ByteReader in(Bytes(bytes).first(cut));
      Record back;
      ASSERT_FALSE(decode_record(in, back)) << cut << " of " << size;
    }
  }
}

TEST(DeltaRecord, WhatDoesNotFitLeavesTheBufferAsItWas) {
  Rng rng(3);
  for (std::uint64_t n = 0; n < 500; ++n) {
    const Record record = made_record(n, rng);
    std::array<std::uint8_t, kMaxRecord> whole;
    const std::size_t size = encode_record(record, whole);
    std::vector<std::uint8_t> small(size - 1, 0xee);
    EXPECT_EQ(encode_record(record, small), 0u);
    EXPECT_EQ(small, std::vector<std::uint8_t>(size - 1, 0xee));
    std::vector<std::uint8_t> exact(size);
    EXPECT_EQ(encode_record(record, exact), size);
  }
}

// One meaning, one spelling: what is accepted is what the encoder would have written.
TEST(DeltaRecord, OfMutatedBytesOnlyTheirOwnSpellingIsAccepted) {
  Rng rng(4);
  std::array<std::uint8_t, kMaxRecord> bytes, again;
  std::size_t accepted = 0;
  for (std::uint64_t n = 0; n < 50'000; ++n) {
    const std::size_t size = encode_record(made_record(n, rng), bytes);
    for (std::uint64_t flips = 1 + rng.below(3); flips > 0; --flips)
      bytes[rng.below(size)] ^= static_cast<std::uint8_t>(1u << rng.below(8));
    ByteReader in(Bytes(bytes).first(size));
    Record record;
    if (!decode_record(in, record)) continue;
    ++accepted;
    const std::size_t read = in.position();
    ASSERT_EQ(encode_record(record, again), read);
    ASSERT_TRUE(std::equal(again.begin(), again.begin() + read, bytes.begin()));
  }
  EXPECT_GT(accepted, 1000u);
}

TEST(DeltaRecord, SizesAreWhatTheCapacityPlanningSays) {
  Record record;
  record.session.key.protocol = kProtocolTcp;
  record.session.state.timeout_s = 432000;
  std::array<std::uint8_t, kMaxRecord> bytes;
  EXPECT_EQ(encode_record(record, bytes), 21u) << "create, IPv4 TCP";
  record.kind = RecordKind::update;
  EXPECT_EQ(encode_record(record, bytes), 7u) << "update, TCP";
  record.kind = RecordKind::remove;
  EXPECT_EQ(encode_record(record, bytes), 4u) << "delete";
}

template <typename Value>
void expect_round_trip(const Value& value) {
  std::array<std::uint8_t, kMinFrame> bytes;
  ByteWriter out(bytes);
  encode(value, out);
  ASSERT_FALSE(out.failed());
  ByteReader in(out.written());
  Value back;
  ASSERT_TRUE(decode(in, back));
  EXPECT_EQ(back, value);
  for (std::size_t cut = 0; cut < out.size(); ++cut) {
    ByteReader short_in(out.written().first(cut));
    ASSERT_FALSE(decode(short_in, back)) << cut;
  }
}

Received made_received() {
  Received r;
  r.newest = 1000;
  r.words = 3;
  r.bits = {0xffffffffffffff01, 7, 1};
  return r;
}

TEST(DeltaWire, MarkersAcksAndReportsSurviveTheWireAndNothingShorterDoes) {
  expect_round_trip(Marker{.round = 7, .want = Marker::Want::digests, .sessions = 1u << 20});
  expect_round_trip(Ack{.credit = 64, .delay_us = 12, .sessions = 5, .received = made_received()});
  expect_round_trip(Ack{.credit = 0, .delay_us = 0, .sessions = 0, .received = {}});
  Report report{.round = 7,
                .first_bucket = 4032,
                .count = 64,
                .marker = 1000,
                .sessions = 5,
                .root = 99,
                .received = made_received(),
                .digests = {}};
  for (std::size_t i = 0; i < report.digests.size(); ++i) report.digests[i] = i * i + 1;
  expect_round_trip(report);
}

TEST(DeltaWire, CountsBeyondTheirBoundsAreRefused) {
  std::array<std::uint8_t, 4096> bytes{};
  const auto refused = [&](auto value, std::size_t size) {
    ByteReader in(Bytes(bytes).first(size));
    return !decode(in, value);
  };
  store_be<std::uint16_t>(bytes.data() + 22, 17);  // words of an ack
  store_be<std::uint64_t>(bytes.data() + 14, 5);
  bytes[31] = 1;
  EXPECT_TRUE(refused(Ack{}, 24 + 17 * 8));
  bytes.fill(0);
  store_be<std::uint16_t>(bytes.data() + 4, 4095);  // first bucket and count of a report
  store_be<std::uint16_t>(bytes.data() + 6, 2);
  EXPECT_TRUE(refused(Report{}, 42 + 16));
  store_be<std::uint16_t>(bytes.data() + 6, 0xffff);
  EXPECT_TRUE(refused(Report{}, bytes.size()));
}

TEST(DeltaWire, AHeaderSurvivesTheWireAndUnknownKindsOrFlagsDoNot) {
  const FrameHeader header{.kind = FrameKind::report,
                           .flags = kFlagInSync,
                           .span = 1023,
                           .stream = 3,
                           .epoch = 9,
                           .sender = 1,
                           .receiver = 2,
                           .sequence = 77};
  std::array<std::uint8_t, kHeaderSize> bytes;
  ByteWriter out(bytes);
  encode_header(header, out);
  ByteReader in(bytes);
  ASSERT_EQ(decode_header(in), header);
  const auto with = [&](std::size_t at, std::uint8_t value) {
    auto other = bytes;
    other[at] = value;
    ByteReader reader(other);
    return decode_header(reader);
  };
  EXPECT_FALSE(with(0, 0));
  EXPECT_FALSE(with(0, 6));
  EXPECT_FALSE(with(1, 2));
  EXPECT_FALSE(with(2, 4)) << "a span no sender has";
  EXPECT_FALSE(with(19, 0)) << "a sender without an instance number";
}

}  // namespace
}  // namespace testing
}  // namespace hotpair::dataplane
