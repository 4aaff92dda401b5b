// How long the main loop rests after a turn.
#include <gtest/gtest.h>

#include "dataplane/dpdk/idling.hpp"

namespace hotpair::dpdk {
namespace {

TEST(Idling, DoesNotRestWhileMoreWaits) {
  EXPECT_EQ(Idling().after(Effort::saturated, std::nullopt, true).length, 0ns);
}

TEST(Idling, RestsLongUntilSomethingArrivesWhereThePortCanTell) {
  Idling idling;
  const Idling::Rest rest = idling.after(Effort::none, std::nullopt, true);
  EXPECT_EQ(rest.length, Idling::kLong);
  EXPECT_TRUE(rest.wake);
}

TEST(Idling, LooksEveryMillisecondWhereThePortCannotTell) {
  Idling idling;
  EXPECT_EQ(idling.after(Effort::none, std::nullopt, false).length, Idling::kBlind);
}

TEST(Idling, RestsBrieflyUnderTrafficSoThatChangesGather) {
  Idling idling;
  const Idling::Rest rest = idling.after(Effort::some, std::nullopt, true);
  EXPECT_EQ(rest.length, Idling::kShort);
  EXPECT_FALSE(rest.wake) << "each change would be a wake-up of its own";
  EXPECT_EQ(idling.after(Effort::none, std::nullopt, true).length, Idling::kLong);
}

TEST(Idling, NeverRestsBeyondADeadline) {
  Idling idling;
  EXPECT_EQ(idling.after(Effort::none, 3ms, true).length, 3ms);
  EXPECT_EQ(idling.after(Effort::none, -1ms, true).length, 0ns);
}

}  // namespace
}  // namespace hotpair::dpdk
