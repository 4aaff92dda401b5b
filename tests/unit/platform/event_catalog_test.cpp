// The list of events: each is found by its name, has an id of its own and says what to do.
#include "platform/base/event_catalog.hpp"

#include <set>

#include <gtest/gtest.h>

#include "platform/linux/log_sink.hpp"

namespace hotpair {
namespace {

TEST(EventCatalogTest, AnEventHasItsIdForEver) {
  ASSERT_NE(find_event("role-change"), nullptr);
  EXPECT_EQ(event_id("role-change"), "HP-1001");
  EXPECT_EQ(event_id("persist-failed"), "HP-1203");
  EXPECT_EQ(find_event("never-heard-of"), nullptr);
  EXPECT_EQ(event_id("never-heard-of"), "");
  EXPECT_EQ(sys::journal_message_id("role-change"), "0d99ce444191130e7d9bbf73c09b5a49");
}

TEST(EventCatalogTest, EachSaysWhatItMeansWhyAndWhatNext) {
  std::set<std::string> ids;
  for (const EventEntry& entry : kEventCatalog) {
    EXPECT_TRUE(ids.insert(event_id(entry)).second) << entry.number;
    EXPECT_TRUE(ids.insert(sys::journal_message_id(entry.name)).second) << entry.name;
    EXPECT_TRUE(entry.meaning.ends_with('.')) << entry.name;
    EXPECT_TRUE(entry.causes.ends_with('.')) << entry.name;
    EXPECT_FALSE(entry.next.empty()) << entry.name;
    EXPECT_EQ(find_event(entry.name), &entry);
  }
}

TEST(EventCatalogTest, TheIdIsAFieldOfTheRecord) {
  testing::internal::CaptureStderr();
  sys::LogOptions options;
  options.target = sys::LogOptions::Target::terminal;
  const Log log = sys::make_log(options);
  log.warning("path-dead", "ha0 is silent", {{"path", "ha0"}});
  log.info("of-no-row", "nothing of note");
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("path-dead  ha0 is silent  path=ha0 id=HP-1101\n"), std::string::npos)
      << said;
  EXPECT_NE(said.find("of-no-row  nothing of note\n"), std::string::npos) << said;
}

}  // namespace
}  // namespace hotpair
