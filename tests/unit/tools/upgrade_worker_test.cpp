// What an upgrade runs on a node, run: the command stands apart from who began it, and what became
// of it can be asked at any time.
#include <fstream>

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "platform/linux/clock.hpp"
#include "tests/unit/platform/temporary_directory.hpp"
#include "tools/ctl/upgrade/scripts.hpp"
#include "tools/ctl/upgrade/worker.hpp"

namespace hotpair::ctl::upgrade {
namespace {

using Kind = Task::Kind;
using State = CommandReport::State;

class UpgradeWorker : public testing::Test {
 protected:
  UpgradeWorker() {
    run.id = "20260301120000-1";
    run.driver = 1;
    run.before = {Before{"fw1", "", 1}, Before{"fw2", "", 1}};
  }

  // To its end; what the command said meanwhile goes to `said`.
  TaskEnded carry_out(Kind kind, std::uint64_t offset = 0) {
    Worker worker("/nowhere", directory.path(), 1);
    worker.begin({kind, 1, offset}, run, sys::now());
    for (;;) {
      for (const Event& event : worker.pump(sys::now())) {
        if (const auto* output = std::get_if<Output>(&event)) said += output->text;
        if (const auto* ended = std::get_if<TaskEnded>(&event)) return *ended;
      }
      std::vector<pollfd> waited;
      worker.add_waited(waited);
      (void)::poll(waited.data(), waited.size(), 1000);
    }
  }

  TaskEnded started(const std::string& command) {
    run.command = command;
    EXPECT_TRUE(carry_out(Kind::claim).ok);
    return carry_out(Kind::start);
  }

  test::TemporaryDirectory directory;
  upgrade::Run run;
  std::string said;
};

TEST_F(UpgradeWorker, RunsACommandAndTellsWhatItSaidAndHowItEnded) {
  EXPECT_EQ(carry_out(Kind::look).report.state, State::none);
  const TaskEnded start =
      started("echo \"chassis $HOTPAIR_CHASSIS_ID\"; echo 'a \"b\" $c' >&2; exit 7");
  ASSERT_TRUE(start.reached && start.ok) << start.text;
  const TaskEnded end = carry_out(Kind::follow);
  EXPECT_EQ(said, "chassis 1\na \"b\" $c\n");
  EXPECT_EQ(end.report.state, State::ended);
  EXPECT_EQ(end.report.code, 7);
  EXPECT_FALSE(end.report.going_down);
  EXPECT_EQ(end.report.boot_then, end.report.boot_now);
  EXPECT_FALSE(end.report.boot_now.empty());
  said.clear();
  EXPECT_EQ(carry_out(Kind::follow, 10).report.code, 7);
  EXPECT_EQ(said, "a \"b\" $c\n") << "from what is known on";
}

TEST_F(UpgradeWorker, ACommandIsBegunOnceAndEndedWhole) {
  const std::string marks = directory.path() + "/marks";
  ASSERT_TRUE(started("echo begun >>" + marks + "; sleep 1000; echo after").ok);
  EXPECT_EQ(carry_out(Kind::look).report.state, State::running);
  EXPECT_TRUE(carry_out(Kind::start).ok) << "it runs already";
  EXPECT_TRUE(carry_out(Kind::stop).ok);
  EXPECT_EQ(carry_out(Kind::look).report.state, State::ended);
  EXPECT_EQ(carry_out(Kind::look).report.code, 143);
  std::ifstream file(marks);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "begun\n");
}

TEST_F(UpgradeWorker, WhatWasKilledWithItsWatcherHasVanished) {
  ASSERT_TRUE(started("sleep 1000").ok);
  std::ifstream file(directory.path() + "/upgrade/" + run.id + "/pid");
  pid_t watcher = 0;
  ASSERT_TRUE(file >> watcher);
  ASSERT_EQ(::kill(-::getpgid(watcher), SIGKILL), 0);
  EXPECT_EQ(carry_out(Kind::look).report.state, State::vanished);
}

TEST_F(UpgradeWorker, OneUpgradeAtATimeAndWhoBeganItMayBeginAnother) {
  ASSERT_TRUE(started("true").ok);
  EXPECT_EQ(carry_out(Kind::follow).report.code, 0);
  run.id = "20260301120001-2";
  run.driver = 2;
  const TaskEnded others = carry_out(Kind::claim);
  EXPECT_FALSE(others.ok);
  EXPECT_NE(others.text.find("another upgrade runs, begun on fw1"), std::string::npos);
  run.driver = 1;
  EXPECT_TRUE(carry_out(Kind::claim).ok);
  EXPECT_EQ(carry_out(Kind::look).report.state, State::none);
  EXPECT_TRUE(carry_out(Kind::release).ok);
  run.driver = 2;
  run.id = "20260301120002-2";
  EXPECT_TRUE(carry_out(Kind::claim).ok);
}

TEST(UpgradeWork, WhatANodeSaidIsToldFromSilence) {
  const Task look{Kind::look, 2, 0}, order{Kind::maintenance_on, 2, 0};
  const TaskEnded silent = outcome_of(look, "", "hotpair: the peer is not heard\n");
  EXPECT_FALSE(silent.reached);
  EXPECT_EQ(silent.text, "the peer is not heard");
  EXPECT_EQ(outcome_of(look, "", "").text, "no answer");
  EXPECT_FALSE(outcome_of(look, "hotpair-upgrade: done\n", "").reached) << "a command said that";
  const TaskEnded down =
      outcome_of(look, "", "noise\nhotpair-upgrade: report ended 143 yes boot-a boot-b\n");
  EXPECT_TRUE(down.reached && down.report.going_down);
  EXPECT_EQ(down.report.code, 143);
  EXPECT_EQ(down.report.boot_now, "boot-b");
  EXPECT_EQ(outcome_of(look, "", "hotpair-upgrade: report").report.state, State::none);

  EXPECT_FALSE(outcome_of(order, "", "hotpair: the connection to the peer was lost\n").reached);
  const TaskEnded refused = outcome_of(order, R"({"ok":false,"error":"not in sync"})", "");
  EXPECT_TRUE(refused.reached && !refused.ok);
  EXPECT_EQ(refused.text, "not in sync");
  EXPECT_TRUE(outcome_of(order, R"({"ok":true,"message":"done"})", "").ok);
}

}  // namespace
}  // namespace hotpair::ctl::upgrade
