#include <set>

#include <gtest/gtest.h>

#include "platform/base/bytes.hpp"
#include "platform/base/log.hpp"
#include "platform/base/replay_window.hpp"
#include "platform/base/result.hpp"
#include "platform/base/rng.hpp"
#include "platform/base/static_vector.hpp"
#include "tests/unit/platform/hex.hpp"

namespace hotpair {
namespace {

TEST(BytesTest, numbers_are_written_and_read_in_network_order) {
  std::array<std::uint8_t, 15> buffer{};
  ByteWriter out(buffer);
  out.u8(0x01);
  out.u16(0x0203);
  out.u32(0x04050607);
  out.u64(0x08090a0b0c0d0e0f);
  EXPECT_EQ(test::to_hex(buffer), "0102030405060708090a0b0c0d0e0f");
  ByteReader in(buffer);
  EXPECT_EQ(in.u8(), 0x01);
  EXPECT_EQ(in.u16(), 0x0203);
  EXPECT_EQ(in.u32(), 0x04050607u);
  EXPECT_EQ(in.u64(), 0x08090a0b0c0d0e0fu);
  EXPECT_EQ(in.remaining(), 0u);
  EXPECT_FALSE(in.failed());
}

TEST(BytesTest, a_short_read_fails_once_and_for_all_and_yields_zeros) {
  const std::array<std::uint8_t, 3> three = {1, 2, 3};
  ByteReader in(three);
  EXPECT_EQ(in.u32(), 0u);
  EXPECT_TRUE(in.failed());
  EXPECT_EQ(in.u8(), 0);  // though a byte was there
  EXPECT_EQ(in.remaining(), 0u);
  EXPECT_TRUE(in.take(0).empty());
}

TEST(BytesTest, a_size_near_the_end_of_all_numbers_does_not_wrap) {
  const std::array<std::uint8_t, 8> eight{};
  ByteReader in(eight);
  in.skip(4);
  EXPECT_TRUE(in.take(SIZE_MAX - 2).empty());
  EXPECT_TRUE(in.failed());
}

TEST(BytesTest, a_writer_that_is_full_writes_nothing_of_what_does_not_fit) {
  std::array<std::uint8_t, 3> buffer = {9, 9, 9};
  ByteWriter out(buffer);
  out.u16(0x0102);
  out.u16(0x0304);
  EXPECT_TRUE(out.failed());
  EXPECT_EQ(test::to_hex(buffer), "010209");
  EXPECT_EQ(out.size(), 2u);
}

TEST(ReplayWindowTest, each_counter_is_accepted_once) {
  ReplayWindow<128> window;
  EXPECT_TRUE(window.accept(0));
  EXPECT_FALSE(window.accept(0));
  EXPECT_TRUE(window.accept(5));
  EXPECT_TRUE(window.accept(3));
  EXPECT_FALSE(window.accept(3));
  EXPECT_FALSE(window.accept(5));
}

TEST(ReplayWindowTest, what_is_older_than_the_window_is_refused) {
  ReplayWindow<128> window;
  EXPECT_TRUE(window.accept(1000));
  EXPECT_TRUE(window.accept(1000 - 64));
  EXPECT_FALSE(window.accept(1000 - 65));
  EXPECT_FALSE(window.accept(0));
}

TEST(ReplayWindowTest, a_leap_forward_forgets_what_was_seen_but_not_the_newest) {
  ReplayWindow<128> window;
  EXPECT_TRUE(window.accept(1));
  EXPECT_TRUE(window.accept(UINT64_MAX));
  EXPECT_FALSE(window.accept(UINT64_MAX));
  EXPECT_TRUE(window.accept(UINT64_MAX - 1));
  EXPECT_FALSE(window.accept(1));
}

TEST(ReplayWindowTest, agrees_with_a_set_that_remembers_everything) {
  Rng rng(7);
  ReplayWindow<256> window;
  std::set<std::uint64_t> seen;
  std::uint64_t newest = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t base = newest > 100 ? newest - 100 : 0;
    const std::uint64_t counter = base + rng.below(rng.chance(1, 50) ? 700 : 130);
    const bool fresh = seen.insert(counter).second;
    ASSERT_EQ(window.accept(counter), fresh) << "counter " << counter << ", newest " << newest;
    newest = std::max(newest, counter);
  }
}

TEST(ResultTest, holds_a_value_or_the_reason_there_is_none) {
  Result<int> good = 3;
  Result<int> bad = fail_with("no number");
  EXPECT_TRUE(good.ok());
  EXPECT_EQ(*good, 3);
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().message, "no number");
}

TEST(ResultTest, value_and_reason_may_be_of_one_type) {
  Result<std::string, std::string> bad = fail(std::string("why"));
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.error(), "why");
}

TEST(ResultDeathTest, the_value_of_a_failure_ends_the_process) {
  Result<int> bad = fail_with("none");
  EXPECT_DEATH((void)bad.value(), "assertion failed: ok\\(\\)");
}

TEST(StaticVectorTest, fills_empties_and_compares) {
  StaticVector<std::string, 3> a, b;
  a.push_back("x");
  EXPECT_FALSE(a == b);
  b.push_back("x");
  EXPECT_TRUE(a == b);
  a.push_back("y");
  a.push_back("z");
  EXPECT_TRUE(a.full());
  a.clear();
  EXPECT_TRUE(a.empty());
}

TEST(StaticVectorDeathTest, one_too_many_ends_the_process) {
  StaticVector<int, 1> v;
  v.push_back(1);
  EXPECT_DEATH(v.push_back(2), "assertion failed");
}

TEST(RngTest, a_seed_repeats_its_numbers) {
  Rng a(42), b(42), c(43);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.next(), b.next());
  EXPECT_NE(Rng(42).next(), c.next());
}

TEST(RngTest, below_stays_below_and_reaches_everything) {
  Rng rng(1);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(rng.below(7));
  EXPECT_EQ(seen.size(), 7u);
  EXPECT_EQ(*seen.rbegin(), 6u);
}

TEST(LogTest, fields_become_text_of_their_kind) {
  LogRecord got{};
  const Log log([&](const LogRecord& r) { got = r; });
  log.warning("path-dead", "ha0 is silent", {{"path", "ha0"}, {"ms", 41}, {"proven", true}});
  EXPECT_EQ(got.event, "path-dead");
  ASSERT_EQ(got.fields.size(), 3u);
  EXPECT_EQ(got.fields[1].value, "41");
  EXPECT_EQ(got.fields[2].value, "yes");
}

}  // namespace
}  // namespace hotpair
