// Which heartbeats the session-sync path carries.
#include "agent/core/relay_rhythm.hpp"

#include <gtest/gtest.h>

namespace hotpair::agent {
namespace {

bool carried(std::uint64_t sequence, Duration since_direct, bool on_beat = true,
             Duration detection = 40ms) {
  return is_relayed(sequence, on_beat, since_direct, 10ms, detection);
}

TEST(RelayRhythm, CarriesEverySecondBeatWhileTheCablesSpeak) {
  EXPECT_TRUE(carried(100, 9ms));
  EXPECT_FALSE(carried(101, 9ms));
}

TEST(RelayRhythm, CarriesEveryBeatOnceTheCablesMissedOne) {
  EXPECT_TRUE(carried(100, 16ms));
  EXPECT_TRUE(carried(101, 16ms));
}

TEST(RelayRhythm, CarriesNewsAtOnce) {
  EXPECT_TRUE(carried(101, 9ms, false));
}

TEST(RelayRhythm, CarriesEveryBeatWhereFewLostOnesEndAPeersLife) {
  EXPECT_TRUE(carried(101, 9ms, true, 30ms));
}

}  // namespace
}  // namespace hotpair::agent
