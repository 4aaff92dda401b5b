// Path dead or node dead, and who vouches for whom.
#include "agent/core/peer_liveness.hpp"

#include <gtest/gtest.h>

#include "agent/core/relay_rhythm.hpp"

namespace hotpair::agent {
namespace {

constexpr Instant kStart{Duration(100s)};

class Liveness : public testing::Test {
 protected:
  Liveness() {
    std::array<PathConfig, kMaxPaths> paths{};
    paths[0] = {true, PathConfig::Kind::heartbeat, "ha0"};
    paths[1] = {true, PathConfig::Kind::heartbeat, "ha1"};
    peer.configure(paths, 40ms, 4);
  }
  // One beat on the given paths at the time, with the shared sequence number.
  void beat(Duration at, std::initializer_list<PathId> paths, Duration loop_age = 0ms) {
    Heartbeat h;
    h.sequence = ++sequence;
    h.loop_age_us = static_cast<std::uint32_t>(to_us(loop_age));
    for (PathId path : paths) (void)peer.heard(path, kStart + at, false, h);
  }
  PeerLiveness::Changes look(Duration at) { return peer.update(kStart + at); }
  PeerLiveness peer;
  std::uint64_t sequence = 0;
};

TEST_F(Liveness, IsAliveFromTheFirstHeartbeatToTheDetectionTimeAfterTheLast) {
  EXPECT_FALSE(look(0ms).peer_came);
  beat(0ms, {0});
  EXPECT_TRUE(look(0ms).peer_came);
  EXPECT_EQ(peer.next_change(), kStart + 40ms);
  EXPECT_FALSE(look(39ms).peer_died);
  EXPECT_TRUE(look(40ms).peer_died);
  EXPECT_FALSE(peer.alive());
}

TEST_F(Liveness, TellsADeadPathFromADeadNodeByTheSharedSequence) {
  beat(0ms, {0, 1});
  (void)look(0ms);
  for (int i = 1; i <= 3; ++i) beat(i * 10ms, {0});
  EXPECT_EQ(look(39ms).died, 0);
  beat(40ms, {0});
  EXPECT_EQ(look(40ms).died, 1u << 1);
  EXPECT_TRUE(peer.alive());
  beat(50ms, {0, 1});
  EXPECT_EQ(look(50ms).came, 1u << 1);
  EXPECT_EQ(peer.path(1).lost, 4u);
}

TEST_F(Liveness, BlamesTheNodeAndNoPathWhenAllFallSilent) {
  beat(0ms, {0, 1});
  (void)look(0ms);
  const auto changes = look(41ms);
  EXPECT_TRUE(changes.peer_died);
  EXPECT_EQ(changes.died, 0);
  EXPECT_EQ(peer.silent_reason(kStart + 41ms).view(), "peer silent for 41 ms on 2 of 2 paths");
}

TEST_F(Liveness, DoesNotTrustANodeWhoseMainLoopStandsStill) {
  beat(0ms, {0, 1});
  (void)look(0ms);
  beat(30ms, {0, 1}, 30ms);
  EXPECT_FALSE(look(30ms).peer_died);
  beat(40ms, {0, 1}, 40ms);
  EXPECT_TRUE(look(40ms).peer_died);
  EXPECT_TRUE(peer.path(0).alive);
  EXPECT_EQ(peer.silent_reason(kStart + 40ms).view(),
            "peer's main loop stood still for 40 ms while its heartbeats go on");
}

TEST_F(Liveness, TellsANodeThatStoodStillFromOneThatWasCutOff) {
  beat(0ms, {0, 1});
  (void)look(0ms);
  (void)look(500ms);
  beat(510ms, {0, 1});  // the next number
  (void)look(510ms);
  EXPECT_TRUE(peer.stood_still());

  (void)look(1000ms);
  sequence += 48;  // said, and not heard
  beat(1000ms, {0, 1});
  EXPECT_FALSE(peer.stood_still());
  beat(1010ms, {0, 1});
  EXPECT_FALSE(peer.stood_still()) << "that its numbers go on now says nothing of before";
}

TEST_F(Liveness, AMainLoopThatStandsStillAfterACutIsNoNodeThatStoodStill) {
  beat(0ms, {0, 1});
  (void)look(0ms);
  (void)look(500ms);
  sequence += 50;
  for (int i = 0; i < 5; ++i) beat(500ms + i * 10ms, {0, 1}, 300ms);
  beat(550ms, {0, 1});
  EXPECT_TRUE(look(550ms).peer_came);
  EXPECT_FALSE(peer.stood_still());
}

TEST_F(Liveness, GivesThePeerAWholeDetectionTimeWhenWeWereLateOurselves) {
  beat(0ms, {0});
  (void)look(0ms);
  peer.resumed(kStart + 300ms);
  EXPECT_FALSE(look(300ms).peer_died);
  EXPECT_FALSE(look(339ms).peer_died);
  EXPECT_TRUE(look(340ms).peer_died);
}

TEST_F(Liveness, KeepsTheNewestWordWhenFramesArriveOutOfOrder) {
  Heartbeat old_word, new_word;
  old_word.sequence = 5;
  new_word.sequence = 6;
  new_word.role = Role::primary;
  EXPECT_TRUE(peer.heard(0, kStart, false, new_word));
  EXPECT_FALSE(peer.heard(1, kStart, false, old_word));
  EXPECT_EQ(peer.newest().role, Role::primary);
}

TEST_F(Liveness, BelievesARestartedPeerThatCountsFromOneAgain) {
  Heartbeat before, after;
  before.sequence = 1000;
  after.sequence = 1;
  after.role = Role::backup;
  (void)peer.heard(0, kStart, false, before);
  EXPECT_TRUE(peer.heard(0, kStart + 10ms, true, after));
  EXPECT_EQ(peer.newest().role, Role::backup);
  EXPECT_EQ(peer.path(0).lost, 0u);
}

TEST_F(Liveness, ReportsNoDeadPathWhenThePeerComesBackOnOneAMomentBeforeTheOther) {
  beat(0ms, {0, 1});
  (void)look(0ms);
  (void)look(100ms);
  sequence += 200;
  beat(2000ms, {0});
  EXPECT_EQ(look(2000ms).died, 0);
}

TEST_F(Liveness, CountsOnTheRelayedPathOnlyTheBeatsItOwes) {
  std::array<PathConfig, kMaxPaths> paths{};
  paths[0] = {true, PathConfig::Kind::heartbeat, "ha0"};
  paths[kSessionSyncPath] = {true, PathConfig::Kind::session_sync, "session-sync"};
  peer.configure(paths, 40ms, 4);
  beat(0ms, {0, kSessionSyncPath});
  int owed = 0;
  for (int i = 1; i <= 40; ++i) {
    const bool owes = (sequence + 1) % relay_stride(4) == 0;
    const bool withheld = owes && ++owed == 3;
    if ((owes && !withheld) || i == 14)  // one less than it owes, and one more
      beat(i * 10ms, {0, kSessionSyncPath});
    else
      beat(i * 10ms, {0});
  }
  EXPECT_EQ(peer.path(kSessionSyncPath).lost, 1u);
  EXPECT_EQ(peer.path(0).lost, 0u);
}

TEST_F(Liveness, PrefersThePathThatLosesLess) {
  for (int i = 0; i < 100; ++i) {
    if (i % 4 == 0)
      beat(i * 10ms, {0, 1});
    else
      beat(i * 10ms, {1});
  }
  (void)look(990ms);
  EXPECT_EQ(peer.best(), PathId{1});
}

}  // namespace
}  // namespace hotpair::agent
