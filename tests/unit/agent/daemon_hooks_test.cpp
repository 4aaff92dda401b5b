// Commands at a change of role: in order, bounded in time, and told when they fail.
#include <fstream>
#include <functional>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/daemon/hooks.hpp"
#include "platform/linux/clock.hpp"
#include "tests/unit/platform/temporary_directory.hpp"

namespace hotpair::daemon {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class HooksTest : public testing::Test {
 protected:
  std::vector<std::string> append(const std::string& what) {
    return {"sh", "-c", what + " >>" + directory_.file("told")};
  }
  std::string told() {
    std::ifstream in(directory_.file("told"));
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  bool until(const std::function<bool()>& done) {
    const Instant patience = sys::now() + 20s;
    while (!done() && sys::now() < patience) loop_->run_once(100ms);
    return done();
  }

  test::TemporaryDirectory directory_;
  std::unique_ptr<sys::EventLoop> loop_ = std::move(*sys::EventLoop::create());
  config::Takeover commands_;
};

TEST_F(HooksTest, RunOneAfterTheOtherAndKnowTheRole) {
  commands_.hooks_primary = {append("sleep 0.05; echo first $HOTPAIR_ROLE"),
                             append("echo second $HOTPAIR_EPOCH \"$HOTPAIR_REASON\"")};
  Hooks hooks(*loop_, Log(), false);
  hooks.run(agent::Hook::primary, commands_, 7, "peer silent");
  EXPECT_TRUE(until([&] { return told() == "first primary\nsecond 7 peer silent\n"; })) << told();
  EXPECT_TRUE(hooks.failures().empty());
}

TEST_F(HooksTest, OneThatHangsIsEndedAndTheNextRuns) {
  commands_.hooks_backup = {{"sh", "-c", "sleep 1000"}, append("echo next"), {"/no/such/hook"}};
  Hooks hooks(*loop_, Log(), false, 100ms);
  hooks.run(agent::Hook::backup, commands_, 7, "");
  EXPECT_TRUE(until([&] { return hooks.failures().size() == 2; }));
  EXPECT_EQ(told(), "next\n");
  EXPECT_THAT(hooks.failures(), ElementsAre(HasSubstr("hook for role backup failed: sh -c sleep"),
                                            HasSubstr("/no/such/hook")));
}

TEST_F(HooksTest, OfTheRoleBeforeAreNotBegunAnyMore) {
  commands_.hooks_primary = {append("sleep 0.2; echo first"), append("echo never")};
  commands_.hooks_backup = {append("echo after")};
  Hooks hooks(*loop_, Log(), false);
  hooks.run(agent::Hook::primary, commands_, 7, "");
  hooks.run(agent::Hook::backup, commands_, 8, "");
  EXPECT_TRUE(until([&] { return told() == "first\nafter\n"; })) << told();
}

}  // namespace
}  // namespace hotpair::daemon
