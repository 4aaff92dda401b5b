#include "platform/linux/clock.hpp"

#include <gtest/gtest.h>

namespace hotpair::sys {
namespace {

TEST(WallClockMapperTest, a_stamp_becomes_its_age_before_now) {
  EXPECT_EQ(WallClockMapper::age(100s, 98s, 0s), 2s);
}

TEST(WallClockMapperTest, a_stamp_from_the_future_is_now) {
  EXPECT_EQ(WallClockMapper::age(100s, 101s, 0s), 0s);
}

TEST(WallClockMapperTest, a_clock_set_forward_between_reception_and_reading_ages_nothing) {
  EXPECT_EQ(WallClockMapper::age(100s + 1h, 99s, 1h), 1s);       // stamped before the step
  EXPECT_EQ(WallClockMapper::age(100s + 1h, 99s + 1h, 1h), 1s);  // stamped after it
}

TEST(WallClockMapperTest, a_clock_set_back_between_reception_and_reading_ages_nothing) {
  EXPECT_EQ(WallClockMapper::age(2h - 1h, 2h - 1s, -1h), 1s);
  EXPECT_EQ(WallClockMapper::age(2h - 1h, 2h - 1h - 1s, -1h), 1s);
}

TEST(WallClockMapperTest, is_never_later_than_now) {
  WallClockMapper mapper;
  const Instant future = mapper.to_instant(wall_clock() + 1h);
  EXPECT_LE(future, now());
  const Instant recent = mapper.to_instant(wall_clock() - 5ms);
  EXPECT_LE(recent, now());
  EXPECT_GT(recent, now() - 1s);
}

TEST(WallClockTest, is_written_as_ISO_8601_with_milliseconds) {
  const std::string text = wall_clock_text();
  ASSERT_EQ(text.size(), 24u);
  EXPECT_EQ(text[10], 'T');
  EXPECT_EQ(text[19], '.');
  EXPECT_EQ(text.back(), 'Z');
}

}  // namespace
}  // namespace hotpair::sys
