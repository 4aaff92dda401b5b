// Both nodes were primary for a while: whose sessions are there afterwards.
#include <gtest/gtest.h>

#include "tests/unit/dataplane/replication_world.hpp"

namespace hotpair::dataplane::testing {
namespace {

class SplitTest : public ::testing::Test {
 protected:
  SplitTest() { EXPECT_TRUE(world.run_until_in_sync(2s)); }

  // A session that begins at the node when it is primary.
  static Session begin(Node& node, std::uint64_t n, std::uint32_t mark, Instant now) {
    Rng rng(n);
    Session s = made_session(made_key(n), rng);
    s.state.mark = mark;
    node.kernel[s.key] = s.state;
    node.engine->upsert(s, now);
    return s;
  }
  // All cables are cut and the backup takes over; the primary goes on.
  void cut() {
    world.weather.cut = true;
    loser().engine->set_role(Role::primary, 7, world.now());
    world.run(2500ms);
  }
  // They hear each other again, and the one that took over loses the election.
  void heal() {
    world.weather.cut = false;
    winner().engine->set_role(Role::primary, 8, world.now());
    loser().engine->set_role(Role::backup, 8, world.now());
    ASSERT_TRUE(world.run_until_in_sync(5s));
    world.run(3s);
    ASSERT_EQ(world.difference(), "");
  }
  Node& winner() { return world.primary(); }
  Node& loser() { return world.backup(); }

  World world{1};
};

TEST_F(SplitTest, SessionsOfBothSidesOfACutAreThereWhenItHeals) {
  const Session before = begin(winner(), 1, 0, world.now());
  world.run(100ms);
  cut();
  const Session here = begin(winner(), 2, 0, world.now());
  const Session there = begin(loser(), 3, 0, world.now());
  heal();
  for (const Session& s : {before, here, there}) {
    EXPECT_TRUE(winner().kernel.contains(s.key));
    EXPECT_TRUE(loser().kernel.contains(s.key));
  }
  EXPECT_EQ(winner().engine->counters().offers_taken, 1u);
}

TEST_F(SplitTest, WhereTheyClashTheWinnersSessionStands) {
  cut();
  const Session here = begin(winner(), 2, 0x11, world.now());
  begin(loser(), 2, 0x22, world.now());
  heal();
  EXPECT_EQ(winner().kernel.at(here.key).mark, 0x11u);
  EXPECT_EQ(loser().kernel.at(here.key).mark, 0x11u);
}

TEST_F(SplitTest, ASessionThatEndedOnTheWinnerDoesNotComeBackToLife) {
  const Session ended = begin(winner(), 1, 0, world.now());
  ASSERT_TRUE(world.run_until_in_sync(2s));
  cut();
  winner().kernel.erase(ended.key);
  winner().engine->destroy(ended.key, world.now());
  heal();
  EXPECT_FALSE(winner().kernel.contains(ended.key));
  EXPECT_FALSE(loser().kernel.contains(ended.key));
}

TEST_F(SplitTest, WhatTheWinnerDoesNotWantGoesFromTheLosersKernelToo) {
  cut();
  const Session unwanted = begin(loser(), 3, 0, world.now());
  PickupOptions options;
  options.enabled = true;
  options.exclude = {{.address = {}, .length = 0, .ipv6 = false},
                     {.address = {}, .length = 0, .ipv6 = true}};
  winner().engine->set_pickup(options);
  heal();
  EXPECT_FALSE(winner().kernel.contains(unwanted.key));
  EXPECT_FALSE(loser().kernel.contains(unwanted.key));
  EXPECT_EQ(loser().engine->counters().offers_declined, 1u);
}

}  // namespace
}  // namespace hotpair::dataplane::testing
