// A session in its compact form and what stands beside it: nothing is lost, and hash, digests and
// records are those of the whole session.
#include "dataplane/core/compact_session.hpp"

#include <gtest/gtest.h>

#include "dataplane/core/compact_digest.hpp"
#include "dataplane/core/compact_record.hpp"
#include "dataplane/core/side_store.hpp"
#include "tests/unit/dataplane/made_sessions.hpp"

namespace hotpair::dataplane::testing {
namespace {

TEST(CompactSession, WithWhatStandsBesideItIsTheWholeSession) {
  Rng rng(5);
  SideStore store;
  std::array<int, 4> seen{};
  for (std::uint32_t n = 0; n < 3000; ++n) {
    const Session s = made_session(made_key(n), rng);
    const SessionView view(s);
    CompactSession compact = view.compact;
    store.put(view, n, compact);
    ++seen[static_cast<std::size_t>(compact.side_kind())];
    ASSERT_TRUE(store.expanded(compact, n) == s);
    if (n % 3 == 0) store.remove(compact, n);
  }
  for (const int count : seen) EXPECT_GT(count, 50) << "every kind was among them";
}

TEST(CompactSession, HashDigestsAndRecordsAreThoseOfTheWhole) {
  Rng rng(6);
  int alone = 0;
  for (std::uint32_t n = 0; n < 3000; ++n) {
    const Session s = made_session(made_key(n), rng);
    CompactSession compact;
    if (!compact_alone(s, compact)) continue;
    ++alone;
    EXPECT_EQ(hash_key(compact, 77), hash_key(s.key, 77));
    EXPECT_EQ(digest_session(digest_key(compact), compact), digest_session(s));
    for (const RecordKind kind : {RecordKind::create, RecordKind::update, RecordKind::remove}) {
      std::array<std::uint8_t, 64> one{}, other{};
      const std::size_t size = encode_compact(kind, n, compact, one);
      ASSERT_EQ(size, encode_session(kind, n, s, other));
      ASSERT_EQ(one, other);
      EXPECT_EQ(encode_compact(kind, n, compact, MutableBytes(one).first(size - 1)), 0u);
      ASSERT_EQ(encode_compact(kind, n, compact, MutableBytes(one).first(size)), size);
    }
  }
  EXPECT_GT(alone, 300);
}

TEST(CompactSession, TheLongestRecordFitsOrIsNotWritten) {
  Session s;
  s.key.protocol = kProtocolTcp;
  s.key.zone = 7;
  s.state.reply = reversed(s.key.original);
  s.state.mark = 1;
  s.state.timeout_s = 1'000'000;
  s.state.tcp_flags_original = 0x81;
  CompactSession compact;
  ASSERT_TRUE(compact_alone(s, compact));
  std::array<std::uint8_t, 64> room{}, other{};
  const std::size_t size = encode_compact(RecordKind::create, 1u << 31, compact, room);
  EXPECT_EQ(size, encode_session(RecordKind::create, 1u << 31, s, other));
  for (std::size_t less = 0; less <= size; ++less) {
    std::vector<std::uint8_t> exact(less);
    EXPECT_EQ(encode_compact(RecordKind::create, 1u << 31, compact, exact), less < size ? 0 : size);
  }
}

// What the two decoders say of the same bytes, damaged ones too.
void expect_same_reading(Bytes bytes) {
  ByteReader fast_in(bytes), slow_in(bytes);
  CompactRecord fast;
  const Decoded decoded = decode_compact(fast_in, fast);
  if (decoded == Decoded::whole) return;
  Record slow;
  const bool good = decode_record(slow_in, slow);
  ASSERT_EQ(decoded == Decoded::done, good);
  if (!good) return;
  EXPECT_EQ(fast_in.remaining(), slow_in.remaining());
  EXPECT_EQ(fast.kind, slow.kind);
  EXPECT_EQ(fast.id, slow.id);
  if (fast.kind == RecordKind::create) {
    EXPECT_TRUE(expanded(fast.session) == slow.session);
  } else if (fast.kind == RecordKind::update) {
    EXPECT_EQ(fast.session.timeout_s, slow.session.state.timeout_s);
    EXPECT_EQ(unpacked_status(fast.session.status_and_state), slow.session.state.status);
    EXPECT_EQ(fast.session.status_and_state & 0x0f, slow.session.state.tcp_state);
    EXPECT_EQ(fast.session.tcp_flags_reply, slow.session.state.tcp_flags_reply);
  }
}

TEST(CompactSession, BothDecodersReadTheSameAndRefuseTheSame) {
  Rng rng(8);
  for (std::uint32_t n = 0; n < 3000; ++n) {
    const Session s = made_session(made_key(n), rng);
    const auto kind = static_cast<RecordKind>(1 + rng.below(3));
    std::array<std::uint8_t, kMaxRecord> bytes{};
    const std::size_t size = encode_session(kind, n, s, bytes);
    expect_same_reading(Bytes(bytes).first(size));
    expect_same_reading(Bytes(bytes).first(rng.below(size)));
    bytes[rng.below(std::min<std::size_t>(size, 8))] ^=
        static_cast<std::uint8_t>(1u << rng.below(8));
    expect_same_reading(Bytes(bytes).first(size));
  }
}

TEST(SidePool, ADamagedNumberLeadsNowhereAndGivesNothingBack) {
  SidePool<int> pool;
  const std::uint32_t mine = pool.take(1, 10), other = pool.take(2, 20);
  EXPECT_EQ(pool.find(other, 1), nullptr);
  EXPECT_EQ(pool.find(0, 1), nullptr);
  EXPECT_EQ(pool.find(0xffffffff, 1), nullptr);
  pool.give_back(other, 1);
  ASSERT_NE(pool.find(other, 2), nullptr);
  EXPECT_EQ(*pool.find(mine, 1), 10);
  pool.give_back(mine, 1);
  EXPECT_EQ(pool.find(mine, 1), nullptr);
  EXPECT_EQ(pool.take(3, 30), mine) << "used again";
}

}  // namespace
}  // namespace hotpair::dataplane::testing
