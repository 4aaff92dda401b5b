// What a rolling upgrade does next, in the order of what can go wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/tools/upgrade_play.hpp"
#include "tools/ctl/upgrade/run_json.hpp"

namespace hotpair::ctl::upgrade {
namespace {

using State = CommandReport::State;
using testing::ElementsAre;
using testing::HasSubstr;

// The command ends so at a node, once or always.
auto ends_with(int chassis, CommandReport report) {
  return [chassis, report](const Task& task, TaskEnded& ended) {
    if (task.kind != Task::Kind::follow || task.node != chassis) return false;
    ended.report = report;
    return true;
  };
}

TEST(Upgrade, TakesTheBackupThenThePrimaryAndPutsEachBack) {
  Play play;
  EXPECT_EQ(play.go(), Outcome::finished);
  EXPECT_THAT(play.tasks,
              ElementsAre("claim 1", "claim 2", "out 1", "start 1", "follow 1", "back 1", "out 2",
                          "start 2", "follow 2", "back 2", "release 2", "release 1"));
  EXPECT_EQ(play.run().state, RunState::finished);
  EXPECT_EQ(play.node(1).role, "primary") << "the role stays where it went";
  EXPECT_EQ(play.step(StepKind::take_out, 2).detail,
            "fw1 is primary; 100 sessions before, 100 after");
  EXPECT_THAT(play.wrongs, ElementsAre());
}

TEST(Upgrade, BeginsWithNothingButAWholePair) {
  struct Case {
    std::function<void(PairView&)> spoil;
    const char* why;
  };
  const Case cases[] = {
      {[](PairView& pair) { pair.in_sync = false; }, "not in sync"},
      {[](PairView& pair) { pair.peer.alive = false; }, "not heard"},
      {[](PairView& pair) { pair.peer_known = false; }, "not heard"},
      {[](PairView& pair) { pair.peer.forced = "maintenance"; }, "fw2 is in maintenance"},
      {[](PairView& pair) { pair.self.forced = "backup"; }, "fw1 is forced to backup"},
      {[](PairView& pair) { pair.dual_primary = true; }, "both nodes are primary"},
      {[](PairView& pair) { pair.conflict = "a stranger"; }, "a stranger"},
      {[](PairView& pair) { pair.agreed.reset(); }, "protocol"},
      {[](PairView& pair) { pair.self.role = "fault"; }, "fw1 is fault"},
      {[](PairView& pair) { pair.self.lost_interfaces = {"wan"}; }, "fw1 has lost wan"},
      {[](PairView& pair) { pair.self.failed_modules = 1; }, "failed modules"},
      {[](PairView& pair) { pair.self.lacks = "VRF vrf-a"; }, "fw1 lacks VRF vrf-a"},
      {[](PairView& pair) { std::swap(pair.self.role, pair.peer.role); }, "just moved"},
  };
  for (const Case& each : cases) {
    Play play;
    each.spoil(play.pair);
    EXPECT_EQ(play.go(), Outcome::refused) << each.why;
    EXPECT_THAT(play.run().failure.why, HasSubstr(each.why));
    EXPECT_THAT(play.tasks, ElementsAre());
  }
  Play without_pickup;
  without_pickup.pair.in_sync = without_pickup.pair.session_pickup = false;
  EXPECT_EQ(without_pickup.go(), Outcome::finished);
  Play unreachable;
  unreachable.no_pair = "no socket";
  EXPECT_EQ(unreachable.go(), Outcome::unreachable);
}

TEST(Upgrade, DoesNotBeginBesideAnotherOne) {
  Play play;
  play.instead = [](const Task& task, TaskEnded& ended) {
    if (task.kind != Task::Kind::claim || task.node != 2) return false;
    ended.ok = false;
    ended.text = "another upgrade runs";
    return true;
  };
  EXPECT_EQ(play.go(), Outcome::refused);
  EXPECT_EQ(play.run().failure.why, "another upgrade runs");
  EXPECT_THAT(play.tasks, ElementsAre("claim 1", "claim 2", "release 1"));
}

TEST(Upgrade, StopsAtACommandThatFailsAndRunsItAgainWhenResumed) {
  Play play;
  play.instead = ends_with(1, Play::report(State::ended, 100));
  EXPECT_EQ(play.go(), Outcome::stopped);
  EXPECT_EQ(play.run().state, RunState::stopped);
  EXPECT_THAT(play.run().failure.why, HasSubstr("status 100"));
  EXPECT_THAT(play.run().failure.next, HasSubstr("--resume"));
  EXPECT_EQ(play.step(StepKind::command, 1).state, StepState::failed);
  EXPECT_EQ(play.node(2).role, "primary");
  EXPECT_EQ(play.count("out 2"), 0u);

  play.instead = [](const Task& task, TaskEnded& ended) {
    if (task.kind != Task::Kind::look) return false;
    ended.report = Play::report(State::ended, 100);
    return true;
  };
  play.resume();
  EXPECT_EQ(play.go(), Outcome::finished);
  EXPECT_EQ(play.count("start 1"), 2u);
  EXPECT_EQ(play.count("claim 1"), 1u);
  EXPECT_EQ(play.step(StepKind::command, 1).attempts, 2u);
}

TEST(Upgrade, TakesTheOperatorsWordThatACommandWasSeenTo) {
  Play play;
  play.instead = ends_with(1, Play::report(State::ended, 1));
  EXPECT_EQ(play.go(), Outcome::stopped);
  play.instead = nullptr;
  play.resume(true);
  EXPECT_EQ(play.go(), Outcome::finished);
  EXPECT_EQ(play.count("start 1"), 1u);
  EXPECT_EQ(play.count("start 2"), 1u) << "of that command, not of the next";
}

TEST(Upgrade, FollowsACommandThatWentOnWhileNobodyLooked) {
  Play play;
  play.instead = ends_with(1, Play::report(State::running));
  EXPECT_EQ(play.go(10s), std::nullopt);
  play.interrupt();
  EXPECT_EQ(play.run().state, RunState::stopped);
  EXPECT_THAT(play.run().failure.why, HasSubstr("goes on at fw1"));
  play.instead = nullptr;  // a look says that it runs, its end is good
  play.resume();
  EXPECT_EQ(play.go(), Outcome::finished);
  EXPECT_EQ(play.count("look 1"), 1u);
  EXPECT_EQ(play.count("start 1"), 1u);
}

TEST(Upgrade, GoesOnWhereAPowerLossOfItsOwnBoxCutItOff) {
  Play play;
  play.instead = ends_with(2, Play::report(State::running));
  EXPECT_EQ(play.go(20s), std::nullopt);
  EXPECT_EQ(play.step(StepKind::command, 2).state, StepState::running);
  // What is on the disk is all that is left.
  const auto kept = run_from(to_json(play.run()).dump());
  ASSERT_TRUE(kept);
  EXPECT_EQ(kept->current(), play.run().current());
  play.interrupt();
  play.instead = [](const Task& task, TaskEnded& ended) {
    if (task.kind != Task::Kind::look) return false;
    ended.report = Play::report(State::vanished);
    return true;
  };
  play.resume();
  EXPECT_EQ(play.go(), Outcome::finished);
  EXPECT_EQ(play.count("start 2"), 2u);
}

TEST(Upgrade, StopsWhereACommandWasCutOff) {
  Play play;
  play.instead = ends_with(1, Play::report(State::vanished));
  EXPECT_EQ(play.go(), Outcome::stopped);
  EXPECT_THAT(play.run().failure.why, HasSubstr("cut off"));
}

TEST(Upgrade, FollowsOnFromWhatItKnowsWhenTheNodeWasOutOfReach) {
  Play play;
  int follows = 0;
  std::uint64_t offset = 1;
  play.instead = [&](const Task& task, TaskEnded& ended) {
    if (task.kind == Task::Kind::follow && follows++ == 0) {
      ended.reached = false;
      ended.text = "the connection to the peer was lost";
      return true;
    }
    if (task.kind == Task::Kind::follow && follows == 2) offset = task.offset;
    return false;
  };
  EXPECT_EQ(play.go(), Outcome::finished);
  EXPECT_EQ(play.count("follow 1"), 2u);
  EXPECT_EQ(offset, 0u);
  EXPECT_EQ(play.count("start 1"), 1u);
}

TEST(Upgrade, AsksAgainWhetherACommandBeganWhoseStartWasNotAnswered) {
  Play play;
  int starts = 0;
  play.instead = [&](const Task& task, TaskEnded& ended) {
    if (task.kind != Task::Kind::start || task.node != 1 || starts++ > 0) return false;
    ended.reached = false;
    return true;
  };
  EXPECT_EQ(play.go(), Outcome::finished);
  EXPECT_EQ(play.count("look 1"), 1u);
  EXPECT_EQ(play.count("start 1"), 1u) << "the look said that it runs";
}

TEST(Upgrade, WaitsForTheNodeToBeBackAndInSyncAndStopsWhenItIsNot) {
  Play play;
  play.on_start = [&](int) { play.pair.in_sync = false; };
  EXPECT_EQ(play.go(5min), std::nullopt);
  EXPECT_EQ(play.count("out 2"), 0u);
  EXPECT_EQ(play.upgrade().waiting_for(), "the pair is not in sync yet");
  EXPECT_EQ(play.go(6min), Outcome::stopped) << "ten minutes unless said otherwise";
  EXPECT_EQ(play.run().failure.why, "the pair is not in sync yet");
  EXPECT_EQ(play.node(2).role, "primary");
  play.pair.in_sync = true;
  play.on_start = nullptr;
  play.resume();
  EXPECT_EQ(play.go(), Outcome::finished);
  EXPECT_EQ(play.count("start 1"), 1u);
}

TEST(Upgrade, CountsWhatDoesNotLastAsNotReached) {
  Play play;
  EXPECT_EQ(play.go(2s), std::nullopt);  // into the settling of the backup
  ASSERT_EQ(play.run().steps[play.run().current()].kind, StepKind::comeback);
  for (int i = 0; i < 10; ++i) {
    play.pair.peer.alive = false;
    EXPECT_EQ(play.go(1s), std::nullopt);
    play.pair.peer.alive = true;
    EXPECT_EQ(play.go(2s), std::nullopt);
    ASSERT_EQ(play.run().steps[play.run().current()].kind, StepKind::comeback);
  }
  EXPECT_EQ(play.go(), Outcome::finished);
}

TEST(Upgrade, StopsAtAnOlderProtocolAndAtNoneInCommon) {
  Play older;
  older.pair.self.protocol_highest = older.pair.peer.protocol_highest = 2;
  older.on_start = [&](int chassis) { older.node(chassis).protocol_highest = 1; };
  EXPECT_EQ(older.go(), Outcome::stopped);
  EXPECT_THAT(older.run().failure.why, HasSubstr("has become older"));
  EXPECT_EQ(older.node(2).role, "primary");

  Play apart;
  apart.on_start = [&](int chassis) {
    apart.node(chassis).protocol_lowest = apart.node(chassis).protocol_highest = 3;
    apart.pair.agreed.reset();
    apart.pair.in_sync = false;
  };
  EXPECT_EQ(apart.go(30s), Outcome::stopped) << "no need to wait for ten minutes";
  EXPECT_THAT(apart.run().failure.why, HasSubstr("fw1 speaks protocol 3, fw2 1"));

  Play newer;
  newer.on_start = [&](int chassis) {
    newer.node(chassis).protocol_highest = 2;
    newer.node(chassis).version = "1.1";
  };
  EXPECT_EQ(newer.go(), Outcome::finished);
  EXPECT_EQ(newer.step(StepKind::comeback, 1).detail,
            "version 1.0 -> 1.1, protocol 1 -> 2, 100 sessions");
}

TEST(Upgrade, WaitsForAnotherBootOfABoxThatGoesDown) {
  Play play;
  bool booted = false;
  play.instead = [&](const Task& task, TaskEnded& ended) {
    if (task.node != 1) return false;
    ended.report = Play::report(State::ended, 143);
    ended.report.going_down = true;
    if (booted) ended.report.boot_now = "boot-b";
    return task.kind == Task::Kind::follow || task.kind == Task::Kind::look;
  };
  EXPECT_EQ(play.go(1min), std::nullopt) << "it is heard and in sync: the old boot still";
  EXPECT_GT(play.count("look 1"), 5u);
  booted = true;
  EXPECT_EQ(play.go(), Outcome::finished);
}

TEST(Upgrade, GoesOnAfterTheCommandRestartedTheBoxThatDrives) {
  Play play;
  play.instead = ends_with(1, Play::report(State::running));
  EXPECT_EQ(play.go(20s), std::nullopt);
  play.interrupt();  // fw1 goes down, and everything in it
  play.instead = [&](const Task& task, TaskEnded& ended) {
    if (task.node != 1 || task.kind != Task::Kind::look) return false;
    ended.report = {State::ended, 143, true, "boot-a", "boot-b"};
    return true;
  };
  play.resume();
  EXPECT_EQ(play.go(), Outcome::finished);
  EXPECT_EQ(play.count("start 1"), 1u);
}

TEST(Upgrade, StopsAtACommandThatFailedAlsoWhereTheBoxGoesDown) {
  Play play;
  CommandReport failed = Play::report(State::ended, 100);
  failed.going_down = true;
  play.instead = ends_with(1, failed);
  EXPECT_EQ(play.go(), Outcome::stopped);
}

TEST(Upgrade, AsksThePairAgainUntilItFollowsAndSaysWhyItDidNot) {
  Play play;
  int refusals = 0;
  play.instead = [&](const Task& task, TaskEnded& ended) {
    if (task.kind != Task::Kind::maintenance_on || task.node != 2) return false;
    ++refusals;
    ended.ok = false;
    ended.text = "held back by election.hold for 30 s more";
    return true;
  };
  EXPECT_EQ(play.go(), Outcome::stopped);
  EXPECT_GT(refusals, 60);
  EXPECT_LT(refusals, 125) << "once a second, for two minutes";
  EXPECT_EQ(play.run().failure.why, "held back by election.hold for 30 s more");
  EXPECT_EQ(play.count("start 2"), 0u);
}

TEST(Upgrade, GivesAnOrderThatWasFollowedTimeToShow) {
  Play play;
  play.instead = [](const Task& task, TaskEnded&) {
    return task.kind == Task::Kind::maintenance_off && task.node == 1;  // said, and not seen yet
  };
  EXPECT_EQ(play.go(10s), std::nullopt);
  EXPECT_LE(play.count("back 1"), 8u);
}

TEST(Upgrade, RunsNothingOnANodeThatHadToTakeTheRole) {
  Play play;
  play.instead = ends_with(1, Play::report(State::ended, 1));
  EXPECT_EQ(play.go(), Outcome::stopped);
  play.pair.peer.alive = false;
  play.node(1).role = "primary";
  play.instead = [](const Task&, TaskEnded& ended) {
    ended.report = Play::report(State::ended, 1);
    return true;
  };
  play.resume();
  EXPECT_EQ(play.go(), Outcome::stopped);
  EXPECT_THAT(play.run().failure.why, HasSubstr("fw1 carries the traffic"));
  EXPECT_EQ(play.count("start 1"), 1u);
  EXPECT_THAT(play.wrongs, ElementsAre());
}

TEST(Upgrade, SaysWhenTheElectionGaveTheRoleBack) {
  Play play;
  play.instead = [&](const Task& task, TaskEnded&) {
    if (task.kind != Task::Kind::maintenance_off || task.node != 2) return false;
    play.node(2).forced = "none";
    std::swap(play.node(1).role, play.node(2).role);
    return true;
  };
  EXPECT_EQ(play.go(), Outcome::finished);
  EXPECT_THAT(play.step(StepKind::put_back, 2).detail, HasSubstr("gave the role back"));
}

TEST(Upgrade, AnAbortEndsTheCommandAndPutsBackWhoWasTakenOut) {
  Play play;
  play.instead = ends_with(1, Play::report(State::running));
  EXPECT_EQ(play.go(2h), Outcome::stopped) << "half an hour unless said otherwise";
  play.tasks.clear();
  play.abort();
  EXPECT_EQ(play.go(), Outcome::finished);
  EXPECT_EQ(play.run().state, RunState::aborted);
  EXPECT_FALSE(play.upgrade().incomplete());
  EXPECT_THAT(play.tasks, ElementsAre("stop 1", "back 1", "release 2", "release 1"));
}

TEST(Upgrade, AnAbortGivesUpWhatItCannotReach) {
  Play play;
  play.instead = ends_with(2, Play::report(State::running));
  EXPECT_EQ(play.go(20s), std::nullopt);
  play.interrupt();
  play.pair.peer.alive = false;
  play.abort();
  EXPECT_EQ(play.go(5min), Outcome::finished);
  EXPECT_TRUE(play.upgrade().incomplete());
  EXPECT_THAT(play.step(StepKind::put_back, 2).detail,
              HasSubstr("'hotpair maintenance off' there"));
}

TEST(UpgradeRun, IsKeptAsItIs) {
  Play play;
  play.instead = ends_with(1, Play::report(State::ended, 100));
  play.go();
  const auto json = to_json(play.run());
  const auto kept = run_from(json.dump());
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_EQ(to_json(*kept), json);
}

TEST(UpgradeRun, WhatIsDamagedIsNotFollowed) {
  Play play;
  const auto good = to_json(play.run());
  EXPECT_TRUE(run_from(good.dump()));
  const auto spoilt = [&](const char* pointer, const nlohmann::json& value) {
    auto json = good;
    json[nlohmann::json::json_pointer(pointer)] = value;
    return json.dump();
  };
  for (const std::string& text :
       {std::string(), std::string("[]"), good.dump().substr(0, 100), spoilt("/format", 2),
        spoilt("/id", "../../etc"), spoilt("/id", ""), spoilt("/driver", 3),
        spoilt("/state", "asleep"), spoilt("/nodes", 7), spoilt("/steps", nullptr),
        spoilt("/steps/1/kind", "dance"), spoilt("/steps/1/node", 0), spoilt("/steps/1/state", 9),
        spoilt("/steps", std::vector<nlohmann::json>(33, good["steps"][0]))})
    EXPECT_FALSE(run_from(text)) << text;
}

}  // namespace
}  // namespace hotpair::ctl::upgrade
