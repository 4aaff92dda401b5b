// The table against std::unordered_map, and what its slots promise.
#include "dataplane/core/session_table.hpp"

#include <map>
#include <set>
#include <unordered_map>

#include <gtest/gtest.h>

#include "tests/unit/dataplane/made_sessions.hpp"

namespace hotpair::dataplane::testing {
namespace {

struct KeyHash {
  std::size_t operator()(const SessionKey& key) const { return digest_key(key); }
};
using Model = std::unordered_map<SessionKey, std::uint32_t, KeyHash>;

void expect_same(const SessionTable& table, const Model& model) {
  ASSERT_EQ(table.size(), model.size());
  for (const auto& [key, id] : model) {
    ASSERT_EQ(table.find(key), id);
    ASSERT_EQ(table.key(id), key);
  }
  std::map<std::uint16_t, std::uint32_t> zones;
  for (const auto& [key, id] : model)
    if (key.zone != 0) ++zones[key.zone];
  ASSERT_EQ(table.sizes_of_zones(), zones);
}

TEST(SessionTable, BehavesAsAnUnorderedMapWhileItGrowsAndShrinks) {
  Rng rng(7);
  SessionTable table(60'000, rng.next());
  Model model;
  for (int step = 0; step < 300'000; ++step) {
    // Waves: mostly inserts, then mostly removals, so that the index grows while it is used.
    const bool inserting = rng.chance((step / 40'000) % 2 == 0 ? 4 : 1, 5);
    const SessionKey key = made_key(rng.below(50'000));
    const std::uint32_t id = table.find(key);
    ASSERT_EQ(id == SessionTable::kNone, !model.contains(key));
    if (inserting && id == SessionTable::kNone) {
      model[key] = table.insert(made_session(key, rng), table.hash(key));
    } else if (!inserting && id != SessionTable::kNone) {
      table.erase(id);
      model.erase(key);
    }
    if (step % 50'000 == 0) expect_same(table, model);
  }
  expect_same(table, model);
}

TEST(SessionTable, AFullTableRefusesUntilASessionEnds) {
  Rng rng(1);
  SessionTable table(10, rng.next());
  for (std::uint64_t n = 0; n < 10; ++n)
    ASSERT_NE(table.insert(made_session(made_key(n), rng), table.hash(made_key(n))),
              SessionTable::kNone);
  const Session more = made_session(made_key(10), rng);
  EXPECT_EQ(table.insert(more, table.hash(more.key)), SessionTable::kNone);
  table.erase(table.find(made_key(3)));
  EXPECT_NE(table.insert(more, table.hash(more.key)), SessionTable::kNone);
}

TEST(SessionTable, AnEndedSessionIsFoundAgainUntilItIsForgotten) {
  Rng rng(1);
  SessionTable table(100, rng.next());
  const Session s = made_session(made_key(1), rng);
  const SessionView view(s);
  const std::uint64_t hash = table.hash(view);
  const std::uint32_t id = table.insert(view, hash);
  table.slot(id).generation = table.generation();
  EXPECT_EQ(table.find_ended(view, hash), SessionTable::kNone);
  table.bury(id);
  EXPECT_EQ(table.find(s.key), SessionTable::kNone);
  ASSERT_EQ(table.find_ended(view, hash), id);
  ASSERT_TRUE(table.revive(id));
  EXPECT_EQ(table.find(s.key), id);
  table.bury(id);
  table.forget(id);
  EXPECT_EQ(table.find_ended(view, hash), SessionTable::kNone);
}

// The backup keeps sessions where the primary has them; what stands there moves.
TEST(SessionTable, MovingSessionsAboutLosesNone) {
  Rng rng(9);
  SessionTable table(2000, rng.next());
  Model model;
  for (int step = 0; step < 60'000; ++step) {
    const SessionKey key = made_key(rng.below(1500));
    const std::uint32_t wanted = static_cast<std::uint32_t>(rng.below(table.capacity()));
    const std::uint32_t id = table.find(key);
    const bool free = table.slot(wanted).presence() == Slot::Presence::free;
    if (id != SessionTable::kNone && rng.chance(1, 3)) {
      table.erase(id);
      model.erase(key);
    } else if (id != SessionTable::kNone && free) {
      table.move(id, wanted);
      model[key] = wanted;
    } else if (id == SessionTable::kNone && free) {
      const Session s = made_session(key, rng);
      ASSERT_TRUE(table.insert_at(wanted, SessionView(s), table.hash(key)));
      ASSERT_TRUE(table.session(wanted) == s);
      model[key] = wanted;
    }
    if (step % 10'000 == 0) expect_same(table, model);
  }
  expect_same(table, model);
}

TEST(SessionTable, ATombstoneKeepsItsNumberUntilItIsReleased) {
  Rng rng(1);
  SessionTable table(100, rng.next());
  const SessionKey key = made_key(1);
  const std::uint32_t first = table.insert(made_session(key, rng), table.hash(key));
  table.bury(first);
  EXPECT_EQ(table.find(key), SessionTable::kNone);
  const std::uint32_t second = table.insert(made_session(key, rng), table.hash(key));
  EXPECT_NE(second, first) << "the backup may not have heard yet that the first one ended";
  table.release(first);
  EXPECT_EQ(table.insert(made_session(made_key(2), rng), table.hash(made_key(2))), first);
}

TEST(SessionTable, ANewGenerationVoidsTheNotesOfAllSlotsEvenWhenNumbersWrap) {
  Rng rng(1);
  SessionTable table(10, rng.next());
  const std::uint32_t id = table.insert(made_session(made_key(1), rng), table.hash(made_key(1)));
  table.slot(id).generation = table.generation();
  for (int i = 0; i < 70'000; ++i) {
    table.begin_generation();
    ASSERT_NE(table.slot(id).generation, table.generation());
  }
}

TEST(SessionTable, ASlotsDigestsAreThoseOfItsSessionWhateverStandsBesideIt) {
  Rng rng(8);
  SessionTable table(3000, rng.next());
  for (std::uint32_t n = 0; n < 3000; ++n) {
    const Session session = made_session(made_key(n), rng);
    const std::uint32_t id = table.insert(session, table.hash(session.key));
    ASSERT_NE(id, SessionTable::kNone);
    ASSERT_EQ(table.digest_of_key(id), digest_key(session.key));
    ASSERT_EQ(table.digest_of(id, digest_key(session.key)), digest_session(session));
    ASSERT_TRUE(table.reachable(id));
  }
}

TEST(SessionKey, TheDigestSeesEveryFieldThatIsReplicated) {
  Rng rng(3);
  for (std::uint64_t n = 0; n < 200; ++n) {
    const Session s = made_session(made_key(n), rng);
    ASSERT_TRUE(is_normalised(s));
    std::set<std::uint64_t> digests{digest_session(s)};
    const auto changed = [&](auto change) {
      Session other = s;
      change(other);
      EXPECT_TRUE(digests.insert(digest_session(other)).second);
    };
    changed([](Session& o) { o.key.zone ^= 1; });
    changed([](Session& o) { o.key.original.src_port ^= 1; });
    changed([](Session& o) { o.key.original.dst.bytes[3] ^= 1; });
    changed([](Session& o) { o.key.protocol ^= 1; });
    changed([](Session& o) { o.state.reply.src.bytes[0] ^= 1; });
    changed([](Session& o) { o.state.reply.dst_port ^= 1; });
    changed([](Session& o) { o.state.status ^= kStatusAssured; });
    changed([](Session& o) { o.state.mark ^= 1; });
    changed([](Session& o) { o.state.timeout_s ^= 1; });
    changed([](Session& o) { o.state.tcp_state ^= 1; });
    changed([](Session& o) { o.state.tcp_flags_original ^= 1; });
    changed([](Session& o) { o.state.tcp_flags_reply ^= 1; });
    changed([](Session& o) { o.state.tcp_wscale_original ^= 1; });
    changed([](Session& o) { o.state.tcp_wscale_reply ^= 1; });
  }
}

}  // namespace
}  // namespace hotpair::dataplane::testing
