// What a node answers about a state that is not so, and that it stays as it is. The answers
// themselves, as sentences, are in tests/golden/stories/what-if*.txt.
#include "agent/core/what_if.hpp"

#include <gtest/gtest.h>

#include "tests/sim/world.hpp"

namespace hotpair::agent {
namespace {

using simulation::World;
using Kind = Assumption::Kind;

class WhatIfAnswers : public testing::Test {
 protected:
  WhatIfAnswers() {
    for (int chassis : {1, 2}) {
      world.box(chassis).start_agent();
      world.box(chassis).start_dataplane();
    }
    world.run(3s);
    EXPECT_EQ(world.box(2).status().role, Role::primary);
  }
  static Assumption link(ChassisId node, const char* name, bool up) {
    Assumption assumed;
    assumed.node = node;
    assumed.kind = Kind::link;
    assumed.name = name;
    assumed.good = up;
    return assumed;
  }
  static Assumption of(ChassisId node, Kind kind, bool good) {
    Assumption assumed;
    assumed.node = node;
    assumed.kind = kind;
    assumed.good = good;
    return assumed;
  }
  template <typename... Assumptions>
  WhatIf ask(int chassis, const Assumptions&... assumptions) {
    const std::array<Assumption, sizeof...(assumptions)> all{assumptions...};
    return world.box(chassis).node().what_if(all, world.box(chassis).local_now());
  }
  World world{1};
};

TEST_F(WhatIfAnswers, AreTheSameOnBothNodes) {
  const Assumption lost = link(ChassisId::two, "lan", false);
  for (int asked : {1, 2}) {
    const WhatIf answer = ask(asked, lost);
    EXPECT_TRUE(answer.moves) << asked;
    EXPECT_EQ(answer.primary_now, ChassisId::two);
    EXPECT_EQ(answer.primary_after, ChassisId::one);
    EXPECT_EQ(answer.kind, ReportRoleChange::Kind::failover);
    EXPECT_EQ(answer.verdict.criterion, Criterion::bandwidth);
    EXPECT_EQ(answer.held_back.size, 0);
    ASSERT_EQ(answer.rows.size(), kCriteria);
    EXPECT_TRUE(answer.rows[1].decides);
    EXPECT_EQ(answer.rows[1].one.view(), "20 Gbit/s");
    EXPECT_EQ(answer.rows[1].two.view(), "10 Gbit/s");
  }
}

TEST_F(WhatIfAnswers, TakeSeveralAssumptionsTogether) {
  const WhatIf answer = ask(2, link(ChassisId::two, "lan", false),
                            link(ChassisId::one, "lan", false), link(ChassisId::one, "wan", false));
  EXPECT_FALSE(answer.moves);
  EXPECT_EQ(answer.health[0].bandwidth_mbps, 0u);
  EXPECT_EQ(answer.health[1].bandwidth_mbps, 10'000u);
}

TEST_F(WhatIfAnswers, LeaveTheNodeAsItIs) {
  const NodeStatus before = world.box(2).status();
  (void)ask(2, link(ChassisId::two, "lan", false), of(ChassisId::one, Kind::power, false));
  const NodeStatus after = world.box(2).status();
  EXPECT_EQ(after.health, before.health);
  EXPECT_EQ(after.peer_alive, before.peer_alive);
  EXPECT_EQ(after.verdict, before.verdict);
  world.run(3s);
  EXPECT_EQ(world.box(2).status().role, Role::primary);
}

TEST_F(WhatIfAnswers, SayWhatHoldsAMoveByChoiceBack) {
  world.sync_stuck = true;
  world.dataplanes_changed();
  world.run(1s);
  for (int chassis : {1, 2}) world.box(chassis).config.override_ = true;
  Assumption forced = of(ChassisId::one, Kind::management, true);
  EXPECT_FALSE(ask(2, forced).moves);
  Assumption more = link(ChassisId::one, "lan", true);
  EXPECT_FALSE(ask(2, more).moves);
  forced.kind = Kind::forced;
  forced.forced = Forced::primary;
  EXPECT_EQ(ask(2, forced).held_back.size, 0) << "a forced state waits for nothing";
}

TEST_F(WhatIfAnswers, CountAModuleOnlyWhenItsStateWouldChange) {
  Assumption module = of(ChassisId::two, Kind::module, false);
  module.module_ok = true;
  EXPECT_TRUE(ask(2, module).moves);
  module.module_ok = false;  // it has failed already, and is counted
  EXPECT_FALSE(ask(2, module).moves);
}

TEST_F(WhatIfAnswers, RefuseWhatCannotBeAssumed) {
  EXPECT_EQ(ask(2, link(ChassisId::two, "dmz", false)).refused.view(),
            "no data interface is called 'dmz': 'hotpair status' lists those that are monitored");
}

TEST_F(WhatIfAnswers, TellWhoWouldBePrimaryAfterAPowerLoss) {
  EXPECT_EQ(ask(1, of(ChassisId::two, Kind::power, false)).primary_after, ChassisId::one);
  EXPECT_EQ(ask(2, of(ChassisId::two, Kind::power, false)).primary_after, ChassisId::one);
  EXPECT_FALSE(ask(2, of(ChassisId::one, Kind::power, false)).moves);
}

// What is planned is what then happens.
TEST_F(WhatIfAnswers, PlanTheFailoverThatIsThenDone) {
  const FailoverPlan plan = world.box(1).node().plan_failover(false, world.box(1).local_now());
  ASSERT_TRUE(plan.allowed);
  ASSERT_FALSE(plan.steps.empty());
  EXPECT_EQ(plan.steps[0].node, ChassisId::two);
  EXPECT_EQ(plan.steps[0].name.view(), "drain");
  world.box(1).command(OperatorCommand::What::failover);
  world.run(1s);
  EXPECT_EQ(world.box(1).status().role, Role::primary);
}

TEST_F(WhatIfAnswers, RefuseAPlannedFailoverForTheReasonOfTheRealOne) {
  world.box(2).set_link(0, false);
  world.run(5s);
  ASSERT_EQ(world.box(1).status().role, Role::primary);
  const FailoverPlan plan = world.box(1).node().plan_failover(false, world.box(1).local_now());
  EXPECT_FALSE(plan.allowed);
  EXPECT_TRUE(plan.steps.empty());
  EXPECT_NE(plan.text.view().find("would take the role straight back"), std::string_view::npos);
}

}  // namespace
}  // namespace hotpair::agent
