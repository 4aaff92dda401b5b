// What the shell may rely on, step by step. Whole stories are in tests/golden, random ones in
// tests/sim.
#include "agent/core/node.hpp"

#include <gtest/gtest.h>

#include "tests/unit/agent/allocation_count.hpp"

namespace hotpair::agent {
namespace {

constexpr Instant kStart{Duration(1000s)};

NodeConfig config_of(ChassisId self) {
  NodeConfig config;
  config.self = self;
  config.serial = self == ChassisId::one ? "A" : "B";
  config.paths[0] = {true, PathConfig::Kind::heartbeat, "ha0"};
  return config;
}

template <typename A>
const A* find(const Actions& actions) {
  for (const Action& action : actions)
    if (const A* found = std::get_if<A>(&action)) return found;
  return nullptr;
}

template <typename A>
int place(const Actions& actions) {
  for (std::size_t i = 0; i < actions.size(); ++i)
    if (std::get_if<A>(&actions[i])) return static_cast<int>(i);
  return -1;
}

class OneNode : public testing::Test {
 protected:
  OneNode() { step(0ms, DeadlineReached{}); }
  template <typename What>
  const Actions& step(Duration at, const What& what) {
    now_ = kStart + at;
    node.step({now_, what}, actions);
    return actions;
  }
  // Answers every request of the last step, and those that follow from the answers.
  void answer_all(Duration at) {
    for (int round = 0; round < 8; ++round) {
      std::vector<ActionId> ids;
      for (const Action& action : actions)
        std::visit(
            [&](const auto& a) {
              if constexpr (requires { a.id; })
                if constexpr (std::is_same_v<decltype(a.id), ActionId>) ids.push_back(a.id);
            },
            action);
      if (ids.empty()) return;
      Actions all;
      for (const ActionId id : ids) {
        step(at, ActionDone{id, true, 1ms, ""});
        for (const Action& action : actions)
          if (!all.full()) all.push_back(action);
      }
      actions = all;
    }
  }
  void hear(Duration at, Role role, std::uint64_t epoch, bool fresh = false) {
    Heartbeat h;
    h.sequence = ++sequence;
    h.role = role;
    h.epoch.number = epoch;
    h.serial = "B";
    step(at, HeartbeatReceived{0, kStart + at, fresh, h});
  }
  void become_backup() {
    answer_all(0ms);
    hear(10ms, Role::primary, 4, true);
    answer_all(10ms);
    ASSERT_EQ(node.status(now_).role, Role::backup);
  }
  NodeStatus status() const { return node.status(now_); }

  Node node{config_of(ChassisId::one), {}, kStart};
  Actions actions;
  Instant now_;
  std::uint64_t sequence = 0;
};

TEST_F(OneNode, StartsByGivingBackWhatAnEarlierLifeMayHaveLeft) {
  EXPECT_TRUE(find<WithdrawAddresses>(actions));
  EXPECT_TRUE(find<PersistState>(actions));
  EXPECT_TRUE(find<PublishHeartbeat>(actions));
  EXPECT_TRUE(status().addresses_held) << "believed only when it was reported";
}

TEST_F(OneNode, TakesOverAloneAfterTheHoldDownAndNotBefore) {
  answer_all(0ms);
  step(1999ms, DeadlineReached{});
  EXPECT_EQ(status().role, Role::init);
  step(2s, DeadlineReached{});
  EXPECT_EQ(status().role, Role::primary);
  EXPECT_EQ(status().epoch, Epoch{1});
}

TEST_F(OneNode, ClaimsInTheVeryStepInWhichThePeersSilenceIsComplete) {
  become_backup();
  step(50ms, DeadlineReached{});
  EXPECT_TRUE(find<ClaimAddresses>(actions)) << "the epoch was reserved, no data plane runs";
  EXPECT_FALSE(find<PersistState>(actions)) << "nothing is written before the claim";
  EXPECT_LT(place<ClaimAddresses>(actions), place<PublishHeartbeat>(actions));
  EXPECT_LT(place<PublishHeartbeat>(actions), place<ReportRoleChange>(actions));
  EXPECT_TRUE(find<PublishHeartbeat>(actions)->at_once);
  EXPECT_EQ(find<ReportRoleChange>(actions)->reason.view(), "peer silent for 40 ms on 1 of 1 path");
  EXPECT_EQ(status().epoch, Epoch{5});
}

TEST_F(OneNode, IsNotMovedByEarlyLateOrRepeatedDeadlines) {
  become_backup();
  for (Duration at : {11ms, 20ms, 20ms, 49ms}) step(at, DeadlineReached{});
  EXPECT_EQ(status().role, Role::backup);
  step(500ms, DeadlineReached{});
  step(500ms, DeadlineReached{});
  EXPECT_EQ(status().role, Role::primary);
}

TEST_F(OneNode, IgnoresAnswersToNothingItAsked) {
  become_backup();
  for (ActionId id : {0u, 1u, 77u, 4'000'000'000u}) step(12ms, ActionDone{id, false, 1ms, "what?"});
  EXPECT_EQ(status().role, Role::backup);
  EXPECT_FALSE(find<ReportEvent>(actions));
}

TEST_F(OneNode, NamesADeadlineThatLiesAhead) {
  become_backup();
  ASSERT_TRUE(node.next_deadline());
  EXPECT_GT(*node.next_deadline(), now_);
  EXPECT_LE(*node.next_deadline(), kStart + 50ms);
}

TEST_F(OneNode, KeepsTheRoleThroughAShortStallWhenNobodyIsThereToTakeIt) {
  answer_all(0ms);
  step(2s, DeadlineReached{});
  answer_all(2s);
  ASSERT_EQ(status().role, Role::primary);
  step(5s, Stalled{200ms, false});
  EXPECT_EQ(status().role, Role::primary);
  step(10s, Stalled{2s, false});  // a booting peer may have found nobody meanwhile
  EXPECT_EQ(status().role, Role::backup);
}

// One that stood still as primary and wakes has answered for the addresses before it gave them
// back.
TEST_F(OneNode, AnnouncesItsAddressesAgainWhenThePeerComesBack) {
  become_backup();
  step(60ms, DeadlineReached{});
  answer_all(60ms);
  ASSERT_EQ(status().role, Role::primary);
  hear(5s, Role::backup, 4);
  EXPECT_NE(find<Announce>(actions), nullptr);
  hear(5010ms, Role::backup, 4);
  EXPECT_EQ(find<Announce>(actions), nullptr) << "once";
}

TEST_F(OneNode, AsksNobodyForAFailoverThatNobodyCanFollow) {
  answer_all(0ms);
  step(10ms, OperatorCommand{OperatorCommand::What::failover});
  const OperatorAnswer* answer = find<OperatorAnswer>(actions);
  ASSERT_TRUE(answer);
  EXPECT_FALSE(answer->accepted);
  EXPECT_EQ(answer->text.view(), "node 2 was never heard");
}

TEST_F(OneNode, KeepsAForcedStateOnlyOnceItIsWritten) {
  answer_all(0ms);
  step(10ms, OperatorCommand{OperatorCommand::What::force_primary});
  const PersistState* persist = find<PersistState>(actions);
  ASSERT_TRUE(persist);
  EXPECT_EQ(persist->state.forced, Forced::primary);
  EXPECT_EQ(status().forced, Forced::none);
  step(12ms, ActionDone{persist->id, true, 2ms, ""});
  EXPECT_EQ(status().forced, Forced::primary);
  EXPECT_TRUE(find<OperatorAnswer>(actions)->accepted);
}

TEST_F(OneNode, AllocatesNothingInAStep) {
  become_backup();
  const std::size_t before = allocation_count();
  for (int i = 2; i < 500; ++i) hear(i * 10ms, i % 50 == 0 ? Role::init : Role::primary, 4);
  step(6s, DeadlineReached{});
  EXPECT_EQ(allocation_count(), before);
}

TEST_F(OneNode, SurvivesEventsWithIndicesOutOfRange) {
  step(1ms, LinkChanged{200, true, true, 1, 1});
  step(1ms, HeartbeatLinkChanged{9, true});
  step(1ms, MismatchSeen{9, kStart, MismatchSeen::Kind::wrong_password, false, std::nullopt, ""});
  step(1ms, HeartbeatReceived{9, kStart, true, Heartbeat{}});
  EXPECT_FALSE(status().peer_known);
}

}  // namespace
}  // namespace hotpair::agent
