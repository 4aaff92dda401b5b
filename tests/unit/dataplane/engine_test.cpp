// The engine's promises, one story each, on a network that does what the test says.
#include "dataplane/core/engine.hpp"

#include <gtest/gtest.h>

#include "tests/unit/dataplane/replication_world.hpp"

namespace hotpair::dataplane::testing {
namespace {

class EngineTest : public ::testing::Test {
 protected:
  EngineTest() { EXPECT_TRUE(world.run_until_in_sync(2s)); }

  Engine& primary() { return *world.primary().engine; }
  Engine& backup() { return *world.backup().engine; }
  Session report(std::uint64_t n) {
    const Session s = made_session(made_key(n), rng);
    world.primary().kernel[s.key] = s.state;
    primary().upsert(s, world.now());
    return s;
  }
  void end(const SessionKey& key) {
    world.primary().kernel.erase(key);
    primary().destroy(key, world.now());
  }

  World world{1};
  Rng rng{2};
};

TEST_F(EngineTest, ASessionThatEndsBeforeItWasSentIsNeverSent) {
  const Session s = report(1);
  end(s.key);
  world.run(100ms);
  EXPECT_EQ(primary().counters().creates_sent, 0u);
  EXPECT_EQ(primary().counters().never_sent, 1u);
}

TEST_F(EngineTest, ManyChangesBeforeAFrameLeavesAreOneRecord) {
  Session s = report(1);
  for (std::uint32_t i = 0; i < 100; ++i) {
    s.state.timeout_s = i;
    world.primary().kernel[s.key] = s.state;
    primary().upsert(s, world.now());
  }
  world.run(100ms);
  EXPECT_EQ(primary().counters().creates_sent, 1u);
  EXPECT_EQ(world.difference(), "");
}

TEST_F(EngineTest, AnAcknowledgedSessionIsUpdatedAndAChangedMarkIsACreateAgain) {
  Session s = report(1);
  world.run(100ms);
  s.state.timeout_s += 1;
  primary().upsert(s, world.now());
  world.run(100ms);
  EXPECT_EQ(primary().counters().updates_sent, 1u);
  s.state.mark += 1;
  world.primary().kernel[s.key] = s.state;
  primary().upsert(s, world.now());
  world.run(100ms);
  EXPECT_EQ(primary().counters().creates_sent, 2u);
  EXPECT_EQ(world.difference(), "");
}

TEST_F(EngineTest, WithoutCreditNothingIsSentAndNothingIsLost) {
  backup().set_receive_credit(0);
  report(1);
  world.run(300ms);
  const std::uint64_t before = backup().table().size();
  for (std::uint64_t n = 2; n < 500; ++n) report(n);
  world.run(500ms);
  EXPECT_LE(backup().table().size(), before + 300) << "at most what was under way";
  EXPECT_FALSE(primary().drained(world.now(), world.now()));
  backup().set_receive_credit(64);
  EXPECT_TRUE(world.run_until_in_sync(2s));
  EXPECT_EQ(world.difference(), "");
}

TEST_F(EngineTest, DrainedSpeaksOfChangesBeforeTheGivenInstantOnly) {
  world.weather.cut = true;
  const Instant before = world.now();
  world.run(10ms);
  report(1);
  EXPECT_TRUE(primary().drained(before, world.now()));
  world.run(10ms);
  EXPECT_FALSE(primary().drained(world.now(), world.now()));
}

TEST_F(EngineTest, WithoutABackupThePrimaryIsNotInSyncAndItsMemoryHoldsOnlyWhatLives) {
  world.keys = 4000;
  world.weather.cut = true;
  world.changes_per_s = 20'000;
  world.run(5s);
  EXPECT_FALSE(primary().status(world.now()).in_sync);
  EXPECT_EQ(primary().table().tombstones(), 0u);
  EXPECT_EQ(primary().counters().peer_lost, 1u);
}

TEST_F(EngineTest, ASweepAfterARoleChangeRemovesWhatEndedMeanwhileAndKeepsTheRest) {
  const Session kept = report(1), ended = report(2);
  ASSERT_TRUE(world.run_until_in_sync(2s));
  world.weather.cut = true;
  world.run(3s);
  end(ended.key);
  const std::uint64_t removed = backup().counters().swept;
  world.weather.cut = false;
  ASSERT_TRUE(world.run_until_in_sync(2s));
  EXPECT_EQ(backup().counters().swept, removed + 1);
  EXPECT_TRUE(backup().find(kept.key));
  EXPECT_FALSE(backup().find(ended.key));
}

TEST_F(EngineTest, ADumpAddsWhatEventsMissedAndRemovesWhatIsGone) {
  const Session gone = report(1), stays = report(2);
  world.primary().kernel.erase(gone.key);  // and nobody said so
  const Session missed = made_session(made_key(3), rng);
  world.primary().kernel[missed.key] = missed.state;
  world.start_dump();
  ASSERT_TRUE(world.run_until_in_sync(2s));
  EXPECT_FALSE(backup().find(gone.key));
  EXPECT_TRUE(backup().find(stays.key));
  EXPECT_TRUE(backup().find(missed.key));
}

TEST_F(EngineTest, ADumpNeitherRevivesNorRevertsWhatAnEventSaidWhileItRan) {
  Session old = report(1);
  const Session ended = report(2);
  primary().begin_dump();
  Session newer = old;
  newer.state.mark ^= 1;
  primary().upsert(newer, world.now());
  primary().destroy(ended.key, world.now());
  primary().dump_entry(old, world.now());
  primary().dump_entry(ended, world.now());
  primary().end_dump(true);
  world.run(100ms);
  ASSERT_TRUE(primary().find(old.key));
  EXPECT_EQ(primary().find(old.key)->state.mark, newer.state.mark);
  EXPECT_FALSE(primary().find(ended.key));
}

SharedExtras ftp_helper() {
  Extras extras;
  extras.add(Extras::kHelper);
  extras.helper.assign("ftp");
  return SharedExtras::of(extras);
}

// A session ended and another began under its key, and neither was told.
TEST_F(EngineTest, ADumpRemovesWhatAnEventWhileItRanInheritedFromASessionThatIsGone) {
  Session gone = report(1);
  gone.state.extras = ftp_helper();
  primary().upsert(gone, world.now());
  Session now_there = gone;
  now_there.state.extras = {};
  now_there.state.mark ^= 1;
  primary().begin_dump();
  primary().upsert(now_there, world.now());
  ASSERT_TRUE(primary().find(gone.key)->state.extras) << "as of an event that leaves them untold";
  primary().dump_entry(now_there, world.now());
  primary().end_dump(true);
  EXPECT_EQ(primary().find(gone.key)->state, now_there.state);
}

TEST_F(EngineTest, ASessionThatBeginsInheritsNothingFromOneWhoseEndWasNotTold) {
  Session session = report(1);
  session.state.extras = ftp_helper();
  primary().begin(session, world.now());
  session.state.extras = {};
  primary().begin(session, world.now());
  EXPECT_EQ(primary().find(session.key)->state, session.state);
}

TEST_F(EngineTest, ADumpNeverRevertsWhatALaterEventToldOfWhatAnEarlierOneInherited) {
  Session s = report(1);
  const auto labelled = [&](std::uint8_t label) {
    Extras extras;
    extras.add(Extras::kLabels);
    extras.labels[0] = label;
    Session out = s;
    out.state.extras = SharedExtras::of(extras);
    return out;
  };
  s.state.extras = {};
  primary().upsert(labelled(1), world.now());
  primary().begin_dump();
  primary().upsert(s, world.now());
  primary().upsert(labelled(3), world.now());
  primary().dump_entry(labelled(2), world.now());
  primary().end_dump(true);
  EXPECT_EQ(primary().find(s.key)->state.extras->labels[0], 3);
}

TEST_F(EngineTest, ADumpCorrectsTheSessionOfAnExpectationToldWhileItRan) {
  Session missed = report(1);
  missed.state.mark ^= 1;
  missed.state.extras = {};
  primary().begin_dump();
  const Expectation expectation = made_expectation(missed.key, rng);
  primary().expectation(missed.key, expectation, false, world.now());
  primary().dump_entry(missed, world.now());
  primary().end_dump(true);
  ASSERT_TRUE(primary().find(missed.key)->state.extras.has(Extras::kExpectations));
  EXPECT_EQ(primary().find(missed.key)->state.mark, missed.state.mark);
}

TEST_F(EngineTest, AnIncompleteDumpRemovesNothingAndAsksForAnother) {
  const Session s = report(1);
  primary().begin_dump();
  EXPECT_FALSE(primary().dump_wanted());
  primary().end_dump(false);
  world.run(100ms);
  EXPECT_TRUE(primary().find(s.key));
  EXPECT_TRUE(primary().dump_wanted());
}

TEST_F(EngineTest, APromotedBackupHandsEverySessionBackOnceAndTakesItsTime) {
  for (std::uint64_t n = 0; n < 300; ++n) report(n);
  ASSERT_TRUE(world.run_until_in_sync(2s));
  world.swap_roles();
  ASSERT_EQ(primary().renewal(), Renewal::hand_back);
  std::size_t handed = 0, at_half = 0;
  const Instant half = world.now() + Engine::kHandBackTime / 2;
  while (primary().renewal() == Renewal::hand_back) {
    handed += primary().refresh(world.now(), 7, [](const Session&) {});
    if (world.now() <= half) at_half = handed;
    world.run(100ms);
  }
  EXPECT_EQ(handed, 300u);
  EXPECT_NEAR(static_cast<double>(at_half), 150, Engine::kRenewedTogether);
}

// Traffic left the kernel's entries there with states and timeouts of its own.
TEST_F(EngineTest, ANodeThatGaveTheRoleAwayRewritesEverySessionOnce) {
  for (std::uint64_t n = 0; n < 300; ++n) report(n);
  ASSERT_TRUE(world.run_until_in_sync(2s));
  world.swap_roles();
  ASSERT_EQ(backup().renewal(), Renewal::rewrite);
  std::unordered_map<SessionKey, int, KeyHash> rewritten;
  const Instant began = world.now();
  for (Instant now = began; backup().renewal() == Renewal::rewrite; now += 100us)
    backup().refresh(now, 7, [&](const Session& s) { ++rewritten[s.key]; });
  EXPECT_EQ(rewritten.size(), 300u);
  for (const auto& [key, times] : rewritten) EXPECT_EQ(times, 1);
}

TEST_F(EngineTest, TheBackupRefreshesEverySessionWithinFiveMinutes) {
  for (std::uint64_t n = 0; n < 300; ++n) report(n);
  world.run(100ms);
  std::unordered_map<SessionKey, Instant, KeyHash> last;
  for (int second = 0; second < 1000; ++second) {
    world.run(1s);
    backup().refresh(world.now(), 1000, [&](const Session& s) {
      if (last.contains(s.key)) {
        EXPECT_LE(world.now() - last[s.key], 300s);
      }
      last[s.key] = world.now();
    });
  }
  EXPECT_EQ(last.size(), 300u);
}

TEST_F(EngineTest, FramesOfAnOlderEpochAreIgnored) {
  backup().set_role(Role::backup, 99, world.now());
  report(1);
  world.run(100ms);
  EXPECT_EQ(backup().table().size(), 0u);
  EXPECT_GT(backup().counters().rejected_old_epoch, 0u);
}

TEST_F(EngineTest, ABackupFollowsALowerEpochWhenItsAgentNamesIt) {
  const std::uint64_t epoch = primary().status(world.now()).epoch;
  backup().set_role(Role::backup, 99, world.now());
  world.run(100ms);
  backup().set_role(Role::backup, epoch, world.now());
  report(1);
  EXPECT_TRUE(world.run_until_in_sync(2s));
  EXPECT_EQ(world.difference(), "");
}

TEST_F(EngineTest, ABackupThatWasPrimaryUnheardFollowsTheSamePrimaryAgain) {
  const std::uint64_t epoch = primary().status(world.now()).epoch;
  report(1);
  ASSERT_TRUE(world.run_until_in_sync(2s));
  backup().set_role(Role::primary, epoch + 1, world.now());
  backup().set_role(Role::backup, epoch, world.now());
  report(2);
  world.run(1s);
  EXPECT_TRUE(world.run_until_in_sync(2s));
  EXPECT_EQ(world.difference(), "");
}

TEST_F(EngineTest, RubbishIsCountedAndChangesNothing) {
  std::array<std::uint8_t, 1400> bytes;
  for (int i = 0; i < 20'000; ++i) {
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(rng.next());
    bytes[0] = static_cast<std::uint8_t>(rng.below(6));
    bytes[1] = bytes[2] = 0;
    const Bytes frame = Bytes(bytes).first(rng.below(bytes.size()));
    primary().on_frame(frame, world.now());
    backup().on_frame(frame, world.now());
  }
  EXPECT_GT(backup().counters().rejected_malformed, 0u);
}

TEST(EngineLimits, AFullTableIsNeverInSyncUntilThereIsRoomForAll) {
  World world(5, 50);
  world.keys = 200;
  world.changes_per_s = 5000;
  world.run(300ms);
  world.changes_per_s = 0;
  ASSERT_GT(world.primary().kernel.size(), 50u);
  EXPECT_FALSE(world.run_until_in_sync(1s));
  EXPECT_TRUE(world.primary().engine->dump_wanted());
}

// A flood fills the table; what must survive a failover still finds room, and nothing that must is
// ever dropped.
TEST(EngineLimits, AFullTableKeepsWhatIsAssuredAndCountsWhatGaveWay) {
  World world(3, 64);
  Engine& engine = *world.primary().engine;
  Rng rng(4);
  const auto report = [&](std::uint64_t n, bool assured) {
    Session s = made_session(made_key(n), rng);
    s.state.status = assured ? kStatusSeenReply | kStatusAssured : 0u;
    engine.upsert(s, world.now());
    return s.key;
  };
  for (std::uint64_t n = 0; n < 64; ++n) report(n, false);
  std::vector<SessionKey> assured;
  for (std::uint64_t n = 100; n < 164; ++n) assured.push_back(report(n, true));
  EXPECT_EQ(engine.counters().table_full_gave_way, 64u);
  report(200, false);
  report(201, true);
  EXPECT_EQ(engine.counters().table_full, 2u) << "all that there is must stay";
  for (const SessionKey& key : assured) EXPECT_TRUE(engine.find(key));
  EXPECT_FALSE(engine.status(world.now()).in_sync) << "not all of the kernel is replicated";
}

TEST_F(EngineTest, ASessionThatBeginsAnewBeforeItsEndWasSentIsNeverSaidToHaveEnded) {
  Session s = report(1);
  world.run(100ms);
  const std::uint64_t creates = primary().counters().creates_sent;
  end(s.key);
  s.state.mark ^= 1;
  world.primary().kernel[s.key] = s.state;
  primary().upsert(s, world.now());
  world.run(100ms);
  EXPECT_EQ(primary().counters().deletes_sent, 0u);
  EXPECT_EQ(primary().counters().creates_sent, creates + 1);
  EXPECT_EQ(world.difference(), "");
}

}  // namespace
}  // namespace hotpair::dataplane::testing
