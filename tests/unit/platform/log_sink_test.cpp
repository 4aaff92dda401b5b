#include "platform/linux/log_sink.hpp"

#include <gtest/gtest.h>

namespace hotpair::sys {
namespace {

constexpr Instant kStart{1000s};

TEST(LogFormatTest, fields_are_key_and_value) {
  EXPECT_EQ(
      format_record({LogLevel::info, "path-dead", "ha0 is silent", {{"path", "ha0"}, {"ms", 41}}}),
      "path-dead  ha0 is silent  path=ha0 ms=41");
}

TEST(LogFormatTest, values_with_spaces_are_quoted_and_nothing_steers_the_terminal) {
  EXPECT_EQ(
      format_record({LogLevel::info, "e", "a\x1b[2Jb", {{"k", "two words"}, {"q", "say \"hi\""}}}),
      "e  a?[2Jb  k=\"two words\" q=\"say \\\"hi\\\"\"");
}

TEST(LogFormatTest, journal_fields_are_upper_case_and_ours) {
  EXPECT_EQ(journal_field_name("loop-age.us"), "HOTPAIR_LOOP_AGE_US");
  EXPECT_EQ(journal_field_name(std::string(100, 'a')).size(), 64u);
}

TEST(LogLevelTest, levels_are_known_by_name) {
  EXPECT_EQ(parse_log_level("warning"), LogLevel::warning);
  EXPECT_EQ(parse_log_level("loud"), std::nullopt);
  EXPECT_EQ(to_string(LogLevel::notice), "notice");
}

TEST(LogRateLimitTest, a_flood_becomes_a_burst_and_a_count) {
  LogRateLimit limit(3, 1s);
  int passed = 0;
  for (int i = 0; i < 100; ++i)
    if (limit.admit("flood", kStart)) ++passed;
  EXPECT_EQ(passed, 3);
  EXPECT_EQ(limit.admit("flood", kStart + 1s), 97u);
  EXPECT_EQ(limit.admit("flood", kStart + 1s), std::nullopt);
  EXPECT_EQ(limit.admit("flood", kStart + 2s), 1u);
}

TEST(LogRateLimitTest, one_event_does_not_silence_another) {
  LogRateLimit limit(1, 1s);
  EXPECT_TRUE(limit.admit("a", kStart));
  EXPECT_FALSE(limit.admit("a", kStart));
  EXPECT_TRUE(limit.admit("b", kStart));
}

TEST(LogRateLimitTest, invented_event_names_do_not_grow_it) {
  LogRateLimit limit(1, 1s);
  int passed = 0;
  for (int i = 0; i < 100'000; ++i)
    if (limit.admit("event " + std::to_string(i), kStart)) ++passed;
  EXPECT_EQ(passed, 257);
}

TEST(LogSinkTest, a_record_below_the_level_is_not_written) {
  LogOptions options;
  options.level = LogLevel::warning;
  options.target = LogOptions::Target::terminal;
  const Log log = make_log(options);
  testing::internal::CaptureStderr();
  log.info("quiet", "not seen");
  log.error("loud", "seen", {{"k", 1}});
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(text.find("not seen"), std::string::npos);
  EXPECT_NE(text.find("Z error loud  seen  k=1\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace hotpair::sys
