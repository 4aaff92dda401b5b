// Events as SNMP traps: what snmptrap is told, in a bounded way, and what is said when it fails.
#include "agent/daemon/traps.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/linux/clock.hpp"
#include "tests/unit/platform/temporary_directory.hpp"

namespace hotpair::daemon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(TrapWordsTest, AreACommandLineOfSnmptrapInTheTermsOfTheMib) {
  config::SnmpTrap trap;
  trap.options = {"-v", "2c", "-c", "public"};
  const LogRecord record{LogLevel::warning, "path-dead", "ha0 is\nsilent", {}};
  const std::string root = kTrapRoot;
  EXPECT_THAT(trap_words(trap, "192.0.2.9", {"fw1", 1, 7}, *find_event("path-dead"), record),
              ElementsAre("snmptrap", "-v", "2c", "-c", "public", "192.0.2.9", "", root + ".0.1101",
                          root + ".1.1.0", "s", "HP-1101", root + ".1.2.0", "i", "3",
                          root + ".1.3.0", "s", "ha0 is?silent", root + ".1.4.0", "s", "fw1",
                          root + ".1.5.0", "i", "1", root + ".1.6.0", "i", "7"));
}

// A program named snmptrap, first in $PATH, that does what a test wants.
class TrapsTest : public testing::Test {
 protected:
  void SetUp() override {
    config_.node.hostname = "fw1";
    config_.cluster.group_id = 7;
    config_.cluster.events.snmp_trap.emplace().receivers = {"192.0.2.9"};
    path_ = std::getenv("PATH");
    setenv("PATH", (directory_.path() + ":" + path_).c_str(), 1);
  }
  void TearDown() override { setenv("PATH", path_.c_str(), 1); }
  void snmptrap_does(const std::string& what) {
    directory_.write("snmptrap", "#!/bin/sh\n" + what + "\n", 0700);
  }
  // Its trace: a line for each that ended.
  void snmptrap_notes() { snmptrap_does("echo \"$6 $8\" >>" + directory_.file("told")); }
  std::string told() const {
    std::ifstream in(directory_.file("told"));
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  std::uint64_t count(const Traps& traps, const char* what) const {
    nlohmann::json status;
    traps.add_status(status);
    return status["snmp_trap"][what];
  }
  template <typename Done>
  static bool until(Done done) {
    for (const Instant patience = sys::now() + 20s; sys::now() < patience;
         std::this_thread::yield())
      if (done()) return true;
    return false;
  }
  void happens(const char* event, LogLevel level = LogLevel::warning) {
    feed_->pass({level, event, "it happened", {}});
  }

  test::TemporaryDirectory directory_;
  std::string path_;
  config::Config config_;
  NodePlan plan_;
  std::shared_ptr<EventFeed> feed_ = std::make_shared<EventFeed>();
  std::mutex mutex_;
  std::vector<std::string> lines_;
  Log log_{[this](const LogRecord& record) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(record.event + ": " + record.message);
  }};
};

TEST_F(TrapsTest, TellEventsOfTheLevelThatHaveAnId) {
  snmptrap_notes();
  Traps traps(feed_, log_);
  traps.configure(config_, plan_);
  happens("path-dead");
  happens("role-change", LogLevel::notice);  // below the level
  happens("of-no-row");
  happens("dual-primary", LogLevel::error);
  EXPECT_TRUE(until([&] { return count(traps, "sent") == 2; }));
  EXPECT_EQ(told(), std::string(kTrapRoot) + ".1.1.0 HP-1101\n" + kTrapRoot + ".1.1.0 HP-1003\n");
  EXPECT_TRUE(traps.warnings().empty());
}

TEST_F(TrapsTest, EachReceiverIsTold) {
  snmptrap_does("echo $3 >>" + directory_.file("told"));
  config_.cluster.events.snmp_trap->receivers = {"192.0.2.9", "192.0.2.10"};
  Traps traps(feed_, log_);
  traps.configure(config_, plan_);
  happens("path-dead");
  EXPECT_TRUE(until([&] { return count(traps, "sent") == 2; }));
  EXPECT_EQ(told(), "192.0.2.9\n192.0.2.10\n");
}

TEST_F(TrapsTest, AFloodIsHeldBackAndCounted) {
  snmptrap_notes();
  Traps traps(feed_, log_);
  traps.configure(config_, plan_);
  for (int i = 0; i < 1000; ++i) happens("path-dead");
  const auto all = [&] { return count(traps, "sent") + count(traps, "held_back") == 1000; };
  EXPECT_TRUE(until(all));
  EXPECT_EQ(count(traps, "sent"), static_cast<std::uint64_t>(Traps::kBurst));
}

TEST_F(TrapsTest, OneThatHangsIsEndedAndSaidOnceUntilOneGoesAgain) {
  snmptrap_does("sleep 100");
  Traps traps(feed_, log_, 50ms);
  traps.configure(config_, plan_);
  happens("path-dead");
  happens("dual-primary");
  EXPECT_TRUE(until([&] { return count(traps, "failed") == 2; }));
  {
    const std::lock_guard lock(mutex_);
    ASSERT_EQ(lines_.size(), 1u);
    EXPECT_THAT(lines_[0], HasSubstr("trap-failed: an SNMP trap was not sent: "));
  }
  EXPECT_EQ(traps.warnings().size(), 1u);
  snmptrap_notes();
  happens("impasse");
  EXPECT_TRUE(until([&] { return count(traps, "sent") == 1; }));
  EXPECT_TRUE(traps.warnings().empty());
}

TEST_F(TrapsTest, WithoutAReceiverNothingHappens) {
  snmptrap_notes();
  config_.cluster.events.snmp_trap.reset();
  Traps traps(feed_, log_);
  traps.configure(config_, plan_);
  happens("path-dead");
  nlohmann::json status;
  traps.add_status(status);
  EXPECT_TRUE(status.is_null());
}

}  // namespace
}  // namespace hotpair::daemon
