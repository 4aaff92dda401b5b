// Which heartbeats the session-sync path carries.
#include "agent/core/relay_rhythm.hpp"

#include <gtest/gtest.h>

namespace hotpair::agent {
namespace {

bool carried(std::uint64_t sequence, bool needed, bool on_beat = true, Duration detection = 40ms) {
  return is_relayed(sequence, on_beat, needed, 10ms, detection);
}

TEST(RelayRhythm, CarriesEverySixthBeatWhileTheCablesSpeak) {
  EXPECT_TRUE(carried(102, false));
  for (std::uint64_t sequence = 103; sequence < 108; ++sequence)
    EXPECT_FALSE(carried(sequence, false));
}

TEST(RelayRhythm, CallsTheCablesSilentOnceTheyMissedABeat) {
  EXPECT_FALSE(is_direct_silent(14ms, 10ms));
  EXPECT_TRUE(is_direct_silent(16ms, 10ms));
}

TEST(RelayRhythm, CarriesEveryBeatOnceASideHearsNothingOnTheCables) {
  EXPECT_TRUE(carried(102, true));
  EXPECT_TRUE(carried(103, true));
}

TEST(RelayRhythm, CarriesNewsAtOnce) {
  EXPECT_TRUE(carried(103, false, false));
}

TEST(RelayRhythm, CarriesEveryBeatWhereFewLostOnesEndAPeersLife) {
  EXPECT_TRUE(carried(103, false, true, 30ms));
}

}  // namespace
}  // namespace hotpair::agent
