// How long the main loop rests after a turn.
#include <gtest/gtest.h>

#include "dataplane/dpdk/idling.hpp"

namespace hotpair::dpdk {
namespace {

TEST(Idling, DoesNotRestWhileMoreWaits) {
  EXPECT_EQ(Idling(true).after(Effort::saturated, std::nullopt).length, 0ns);
}

TEST(Idling, RestsLongUntilSomethingArrivesWhereThePortCanTell) {
  Idling idling(true);
  const Idling::Rest rest = idling.after(Effort::none, std::nullopt);
  EXPECT_EQ(rest.length, Idling::kLong);
  EXPECT_TRUE(rest.wake);
}

TEST(Idling, LooksEveryMillisecondWhereThePortCannotTell) {
  Idling idling(false);
  EXPECT_EQ(idling.after(Effort::none, std::nullopt).length, Idling::kBlind);
}

TEST(Idling, RestsBrieflyUnderTrafficSoThatChangesGather) {
  Idling idling(true);
  const Idling::Rest rest = idling.after(Effort::some, std::nullopt);
  EXPECT_EQ(rest.length, Idling::kShort);
  EXPECT_FALSE(rest.wake) << "each change would be a wake-up of its own";
  EXPECT_EQ(idling.after(Effort::none, std::nullopt).length, Idling::kLong);
}

TEST(Idling, NeverRestsBeyondADeadline) {
  Idling idling(true);
  EXPECT_EQ(idling.after(Effort::none, 3ms).length, 3ms);
  EXPECT_EQ(idling.after(Effort::none, -1ms).length, 0ns);
}

}  // namespace
}  // namespace hotpair::dpdk
