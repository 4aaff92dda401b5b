// The election: what decides, in which order, and that both nodes reach the same verdict.
#include "agent/core/election.hpp"

#include <gtest/gtest.h>

#include "platform/base/rng.hpp"

namespace hotpair::agent {
namespace {

Candidate candidate(ChassisId id) {
  Candidate c;
  c.id = id;
  c.health.bandwidth_mbps = c.health.full_bandwidth_mbps = 20'000;
  c.health.uptime_s = 1000;
  c.serial = "SAME";
  return c;
}

class Election : public testing::Test {
 protected:
  Verdict verdict() const { return elect(one, two, rules); }
  void expect_two_by(Criterion criterion) const {
    EXPECT_EQ(verdict().winner, ChassisId::two);
    EXPECT_EQ(to_string(verdict().criterion), to_string(criterion));
  }
  Candidate one = candidate(ChassisId::one), two = candidate(ChassisId::two);
  ElectionRules rules;
};

TEST_F(Election, NamesTheFirstCriterionThatDiffersAndBothValues) {
  two.health.bandwidth_mbps = 10'000;
  one.health.failed_modules = 3;  // asked later
  const Verdict v = verdict();
  EXPECT_EQ(v.winner, ChassisId::one);
  EXPECT_EQ(v.criterion, Criterion::bandwidth);
  EXPECT_EQ(v.winner_value.view(), "20 Gbit/s");
  EXPECT_EQ(v.loser_value.view(), "10 Gbit/s");
}

TEST_F(Election, PutsTheForcedStateAboveEverything) {
  two.health.forced = Forced::primary;
  two.health.bandwidth_mbps = 0;
  expect_two_by(Criterion::forced);
}

TEST_F(Election, TakesTheNodeThatIsNotForcedBackup) {
  one.health.forced = Forced::backup;
  expect_two_by(Criterion::forced);
}

TEST_F(Election, CountsGoodLagsThenTheManagementLinkThenModules) {
  two.health.good_lags = 1;
  one.health.failed_modules = 0;
  two.health.failed_modules = 2;
  expect_two_by(Criterion::lags);
  one.health.good_lags = 1;
  one.health.management_link = false;
  expect_two_by(Criterion::management);
}

TEST_F(Election, ForgivesFailedModulesUpToTheTolerance) {
  one.health.failed_modules = 2;
  expect_two_by(Criterion::modules);
  rules.board_failover_tolerance = 2;
  EXPECT_NE(verdict().criterion, Criterion::modules);
}

TEST_F(Election, LeavesTheRoleWhereItIsWhenOnlyTieBreakersDiffer) {
  two.incumbency = Incumbency::primary;
  one.health.uptime_s = 100'000;
  one.health.priority = 255;
  expect_two_by(Criterion::incumbent);
}

TEST_F(Election, WithOverrideAsksThePriorityBeforeTheIncumbent) {
  rules.override_ = true;
  one.incumbency = Incumbency::primary;
  two.health.priority = 200;
  expect_two_by(Criterion::priority);
}

TEST_F(Election, LooksAtUptimeOnlyBeyondTheMargin) {
  two.health.uptime_s = 1300;
  two.serial = "A";
  EXPECT_EQ(verdict().criterion, Criterion::serial);
  two.health.uptime_s = 1301;
  expect_two_by(Criterion::uptime);
}

TEST_F(Election, FallsBackToTheHigherSerialAndThenToTheChassisId) {
  EXPECT_EQ(verdict().criterion, Criterion::identical);
  EXPECT_EQ(verdict().winner, ChassisId::one);
  two.serial = "SAMF";
  expect_two_by(Criterion::serial);
}

TEST_F(Election, ScoreOf50WithAFailedWorkerBeats40) {
  one.health.bandwidth_mbps = 40'000;
  two.health.bandwidth_mbps = 50'000;
  two.health.failed_modules = 1;
  expect_two_by(Criterion::bandwidth);
}

TEST_F(Election, APriorityOf127ThatIsForcedBeats128) {
  one.health.priority = 128;
  two.health.priority = 127;
  two.health.forced = Forced::primary;
  expect_two_by(Criterion::forced);
  rules.override_ = true;
  expect_two_by(Criterion::forced);
}

TEST_F(Election, ANodeThatWasDownLosesToTheLongerUptimeUnlessOverrideIsSet) {
  one.health.priority = 200;  // it was primary by its priority, failed, and is back
  one.health.uptime_s = 10;
  two.health.uptime_s = 9000;
  expect_two_by(Criterion::uptime);
  rules.override_ = true;
  EXPECT_EQ(verdict().winner, ChassisId::one);
  EXPECT_EQ(verdict().criterion, Criterion::priority);
}

TEST_F(Election, AnUptimeThatDiffersByLessThanTheMarginIsNoDifference) {
  one.health.uptime_s = 1000;
  two.health.uptime_s = 1299;
  one.health.priority = 129;
  EXPECT_EQ(verdict().winner, ChassisId::one);
  EXPECT_EQ(verdict().criterion, Criterion::priority);
}

TEST_F(Election, TheHighestSerialWinsWhenAllElseIsEqual) {
  one.serial = "FG7K-0001";
  two.serial = "FG7K-0002";
  expect_two_by(Criterion::serial);
  rules.override_ = true;
  expect_two_by(Criterion::serial);
}

TEST_F(Election, TakesTheNodeThatStillHasItsManagementLink) {
  one.health.management_link = false;
  one.health.priority = 255;
  expect_two_by(Criterion::management);
}

TEST_F(Election, TakesTheNodeWithMoreGoodLagsWhereTheBandwidthIsEqual) {
  one.health.good_lags = 2;
  two.health.good_lags = 3;
  two.health.failed_modules = 5;
  expect_two_by(Criterion::lags);
}

TEST_F(Election, CountsFailuresBeyondTheToleranceOnly) {
  rules.board_failover_tolerance = 2;
  one.health.failed_modules = 4;
  two.health.failed_modules = 3;
  expect_two_by(Criterion::modules);
}

class RemoteMonitors : public Election {
 protected:
  RemoteMonitors() {
    for (Candidate* c : {&one, &two}) c->health.remote_known = c->health.remote_reached = 0b111;
    rules.remote_monitors = monitors;
  }
  const std::array<RemoteMonitorConfig, 3> monitors{
      RemoteMonitorConfig{"192.0.2.1", 100}, {"192.0.2.2", 60}, {"192.0.2.3", 50}};
};

TEST_F(RemoteMonitors, CountAgainstTheNodeThatMissesWhatTheOtherReaches) {
  one.health.remote_reached = 0b110;
  one.health.failed_modules = 0;
  two.health.failed_modules = 3;  // asked later
  expect_two_by(Criterion::remote);
  EXPECT_EQ(verdict().winner_value.view(), "none lost");
  EXPECT_EQ(verdict().loser_value.view(), "192.0.2.1 lost");
}

TEST_F(RemoteMonitors, AreAskedAfterTheManagementLink) {
  one.health.remote_reached = 0;
  two.health.management_link = false;
  EXPECT_EQ(verdict().criterion, Criterion::management);
}

TEST_F(RemoteMonitors, CountByTheSumOfTheirWeights) {
  one.health.remote_reached = 0b110;  // misses 100
  two.health.remote_reached = 0b001;  // misses 60 and 50
  const Verdict v = verdict();
  EXPECT_EQ(v.winner, ChassisId::one);
  EXPECT_EQ(v.loser_value.view(), "2 lost, weight 110");
}

TEST_F(RemoteMonitors, MoveNothingWhenNeitherNodeReachesTheTarget) {
  one.health.remote_reached = two.health.remote_reached = 0b110;
  EXPECT_EQ(verdict().criterion, Criterion::identical);
}

TEST_F(RemoteMonitors, MoveNothingWhileOneSideDoesNotKnowYet) {
  one.health.remote_reached = 0b110;
  two.health.remote_known = 0b110;
  EXPECT_EQ(verdict().criterion, Criterion::identical);
  two.health.remote_known = 0b111;
  one.health.remote_known = 0b110;
  EXPECT_EQ(verdict().criterion, Criterion::identical);
}

TEST_F(RemoteMonitors, IgnoreBitsThatNoMonitorHas) {
  one.health.remote_known = two.health.remote_known = two.health.remote_reached = UINT32_MAX;
  EXPECT_EQ(verdict().criterion, Criterion::identical);
}

TEST_F(Election, ReachesTheSameVerdictOnBothNodes) {
  Rng rng(1);
  const std::array<RemoteMonitorConfig, 2> monitors{RemoteMonitorConfig{"192.0.2.1", 100},
                                                    {"192.0.2.2", 0}};
  rules.remote_monitors = monitors;
  for (int i = 0; i < 2000; ++i) {
    for (Candidate* c : {&one, &two}) {
      c->health.bandwidth_mbps = rng.below(2);
      c->health.good_lags = static_cast<std::uint16_t>(rng.below(2));
      c->health.failed_modules = static_cast<std::uint8_t>(rng.below(3));
      c->health.uptime_s = static_cast<std::uint32_t>(rng.below(900));
      c->health.priority = static_cast<std::uint32_t>(rng.below(2));
      c->incumbency = static_cast<Incumbency>(rng.below(3));
      c->health.remote_known = static_cast<std::uint32_t>(rng.below(4));
      c->health.remote_reached = static_cast<std::uint32_t>(rng.below(4));
    }
    rules.override_ = rng.chance(1, 2);
    EXPECT_EQ(elect(one, two, rules), elect(two, one, rules));
  }
}

TEST_F(Election, HoldsTheNodeWithTheNewestSessionsForTheIncumbentWhereNobodyIsPrimary) {
  const auto between = [](const Tenure& a, const Tenure& b) {
    const Incumbencies both = incumbencies(a, b);
    return std::pair(both.a, both.b);
  };
  const auto none = Incumbency::none, newest = Incumbency::newest_sessions;
  const Tenure stepped_down{Role::backup, {5}}, just_booted{Role::backup, {}};
  EXPECT_EQ(between(stepped_down, just_booted), std::pair(newest, none));
  EXPECT_EQ(between({Role::backup, {5}}, {Role::init, {4}}), std::pair(newest, none));
  EXPECT_EQ(between(stepped_down, stepped_down), std::pair(none, none));
  EXPECT_EQ(between(just_booted, {Role::init, {}}), std::pair(newest, none));
  EXPECT_EQ(between({Role::backup, {9}}, {Role::primary, {8}}),
            std::pair(none, Incumbency::primary));
  EXPECT_EQ(between({Role::primary, {9}}, {Role::primary, {8}}), std::pair(none, none));
}

TEST_F(Election, ListsEveryCriterionWithBothValuesForWhy) {
  EXPECT_EQ(election_order(rules)[7], Criterion::uptime);
  rules.override_ = true;
  EXPECT_EQ(election_order(rules)[6], Criterion::priority);
  const CriterionValues values = criterion_values(Criterion::uptime, one, two, rules);
  EXPECT_EQ(values.a.view(), "1000 s");
}

}  // namespace
}  // namespace hotpair::agent
