// How long the main loop rests after a turn.
#include <gtest/gtest.h>

#include "dataplane/dpdk/idling.hpp"

namespace hotpair::dpdk {
namespace {

constexpr Idling::Circumstances kPrimary{.announced = true, .gathers = true};
constexpr Idling::Circumstances kBackup{.announced = true, .gathers = false};
constexpr Idling::Circumstances kBlindBackup{.announced = false, .gathers = false};

TEST(Idling, DoesNotRestWhileMoreWaits) {
  for (const auto& here : {kPrimary, kBackup, kBlindBackup})
    EXPECT_EQ(Idling().after(Effort::saturated, std::nullopt, here).length, 0ns);
}

TEST(Idling, RestsLongUntilSomethingArrivesWhereThePortCanTell) {
  for (const auto& here : {kPrimary, kBackup}) {
    Idling idling;
    const Idling::Rest rest = idling.after(Effort::none, std::nullopt, here);
    EXPECT_EQ(rest.length, Idling::kLong);
    EXPECT_TRUE(rest.wake);
  }
}

TEST(Idling, LooksEveryMillisecondWhereThePortCannotTell) {
  Idling idling;
  EXPECT_EQ(idling.after(Effort::none, std::nullopt, kBlindBackup).length, Idling::kBlind);
}

TEST(Idling, ThePrimaryRestsBrieflyUnderTrafficSoThatChangesGather) {
  Idling idling;
  const Idling::Rest rest = idling.after(Effort::some, std::nullopt, kPrimary);
  EXPECT_EQ(rest.length, Idling::kGather);
  EXPECT_FALSE(rest.wake) << "each change would be a wake-up of its own";
  EXPECT_EQ(idling.after(Effort::none, std::nullopt, kPrimary).length, Idling::kLong);
}

TEST(Idling, TheNextFrameEndsABackupsRestAndTakesTheAnswerToTheLastOneAlong) {
  Idling idling;
  const Idling::Rest rest = idling.after(Effort::some, 200us, kBackup);
  EXPECT_TRUE(rest.wake);
  EXPECT_EQ(rest.length, Idling::kGather) << "an acknowledgement would be a wake-up of its own";
  EXPECT_EQ(idling.after(Effort::none, -300us, kBackup).length, 0ns) << "but it is not forgotten";
}

TEST(Idling, ABackupThatMustLookDoesSoOftenUnderTraffic) {
  Idling idling;
  EXPECT_EQ(idling.after(Effort::some, std::nullopt, kBlindBackup).length, Idling::kShort);
}

TEST(Idling, NeverRestsBeyondADeadlineOtherwise) {
  Idling idling;
  EXPECT_EQ(idling.after(Effort::none, 3ms, kPrimary).length, 3ms);
  EXPECT_EQ(idling.after(Effort::none, -1ms, kPrimary).length, 0ns);
  EXPECT_EQ(idling.after(Effort::some, 100us, kPrimary).length, 100us);
}

}  // namespace
}  // namespace hotpair::dpdk
