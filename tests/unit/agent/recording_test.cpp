// Recordings of simulated pairs: replayed, they lead to the same decisions; changed, they do not,
// and whatever their bytes, the reader says what is wrong.
#include <gtest/gtest.h>

#include "agent/core/node_snapshot.hpp"
#include "agent/core/recording_reader.hpp"
#include "agent/core/recording_replay.hpp"
#include "platform/base/rng.hpp"
#include "tests/sim/swarm.hpp"
#include "tests/sim/tape.hpp"
#include "tests/sim/world.hpp"

namespace hotpair::agent {
namespace {

using simulation::Tape;
using Difference = Replayed::Difference;

struct Found {
  Difference difference = Difference::none;
  Instant at;
  std::uint64_t steps = 0;
  std::string error;
};

std::vector<Record> records_of(Bytes file, std::string& error) {
  std::vector<Record> records;
  RecordingReader reader(file);
  for (Record record;;) {
    const auto more = reader.next(record);
    if (!more) error = more.error().text();
    if (!more || !*more) return records;
    records.push_back(record);
  }
}

// Until the first difference.
void replay(Replay& replay, const std::vector<Record>& records, Found& found) {
  for (const Record& record : records) {
    const auto replayed = replay.take(record);
    if (!replayed) {
      found.error = replayed.error();
      return;
    }
    found.steps = replay.steps();
    found.difference = replayed->difference;
    if (const auto* step = std::get_if<Stepped>(&record)) found.at = step->event.at;
    if (found.difference != Difference::none) return;
  }
}

Found replay_life(const Tape::Life& life) {
  Replay player;
  Found found;
  for (const auto& file : life) {
    const auto records = records_of(file, found.error);
    if (found.error.empty()) replay(player, records, found);
    if (!found.error.empty() || found.difference != Difference::none) break;
  }
  return found;
}

// One seeded history with its faults, in segments of `steps`.
Tape::Life longest_life(std::uint64_t seed, std::uint64_t steps) {
  Tape tape(steps);
  (void)simulation::run_seed(seed, false, &tape);
  Tape::Life longest;
  for (const auto& life : tape.lives())
    if (life.size() > longest.size() ||
        (life.size() == longest.size() && life[0].size() > longest[0].size()))
      longest = life;
  return longest;
}

TEST(Recording, OfAnyHistoryReplaysToTheSameDecisions) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    Tape tape(1'000'000);
    (void)simulation::run_seed(seed, false, &tape);
    ASSERT_FALSE(tape.lives().empty());
    for (const auto& life : tape.lives()) {
      const Found found = replay_life(life);
      EXPECT_EQ(found.error, "") << "seed " << seed;
      EXPECT_EQ(found.difference, Difference::none)
          << "seed " << seed << " at step " << found.steps;
      EXPECT_GT(found.steps, 0u);
    }
  }
}

// A segment begins with a snapshot: what it leaves out of the node would show here.
TEST(Recording, EverySegmentReplaysByItselfAndGoesOnWhereTheLastOneEnded) {
  for (std::uint64_t seed = 20; seed <= 31; ++seed) {
    Tape tape(97);
    (void)simulation::run_seed(seed, false, &tape);
    for (const auto& life : tape.lives()) {
      const Found whole = replay_life(life);
      ASSERT_EQ(whole.error, "") << "seed " << seed;
      ASSERT_EQ(whole.difference, Difference::none) << "seed " << seed << " step " << whole.steps;
      for (const auto& file : life) {
        const Found alone = replay_life({file});
        ASSERT_EQ(alone.error, "") << "seed " << seed;
        ASSERT_EQ(alone.difference, Difference::none) << "seed " << seed;
      }
    }
  }
}

TEST(Recording, OfAnIdlePairTakesAFewBytesAHeartbeat) {
  Tape tape(1'000'000);
  simulation::World world(1);
  world.observer = &tape;
  for (int chassis : {1, 2}) world.box(chassis).start_agent();
  for (int chassis : {1, 2}) world.box(chassis).start_dataplane();
  world.run(20s);
  ASSERT_EQ(tape.lives().size(), 2u);
  for (const auto& life : tape.lives()) {
    const Found found = replay_life(life);
    EXPECT_GT(found.steps, 4500u);
    EXPECT_LT(life[0].size() / found.steps, 16u);
  }
}

// Each record is written again with one event changed; the outcomes stay as they were recorded.
TEST(Recording, WithATamperedEventIsFoundToDiffer) {
  const Tape::Life life = longest_life(5, 1'000'000);
  std::string error;
  const auto records = records_of(life[0], error);
  ASSERT_EQ(error, "");
  unsigned tried = 0, noticed = 0;
  for (std::size_t i = 0; i < records.size() && tried < 6; ++i) {
    auto changed = records;
    auto* step = std::get_if<Stepped>(&changed[i]);
    auto* link = step != nullptr ? std::get_if<LinkChanged>(&step->event.what) : nullptr;
    if (link == nullptr || !link->up) continue;
    ++tried;
    link->up = false;
    Replay player;
    Found found;
    replay(player, changed, found);
    noticed += found.difference != Difference::none ? 1 : 0;
  }
  EXPECT_GT(tried, 0u);
  EXPECT_EQ(noticed, tried);
}

TEST(Recording, WithARecordedDecisionThatTheCodeWouldNotTakeIsFoundAtThatStep) {
  const Tape::Life life = longest_life(5, 1'000'000);
  std::string error;
  auto records = records_of(life[0], error);
  for (std::size_t i = 0; i < records.size(); ++i) {
    auto* step = std::get_if<Stepped>(&records[i]);
    if (step == nullptr || step->outcome.actions.empty()) continue;
    auto* role = std::get_if<ReportRoleChange>(&step->outcome.actions.back());
    if (role == nullptr) continue;
    role->to = role->to == Role::primary ? Role::backup : Role::primary;
    Replay player;
    Found found;
    replay(player, records, found);
    EXPECT_EQ(found.difference, Difference::actions);
    EXPECT_EQ(found.at, step->event.at);
    return;
  }
  FAIL() << "the history has no change of role";
}

TEST(Recording, ThatIsCutSaysWhereAndGivesWhatStandsBefore) {
  const Tape::Life life = longest_life(7, 1'000'000);
  const Bytes whole(life[0]);
  std::string error;
  const std::size_t records = records_of(whole, error).size();
  ASSERT_EQ(error, "");
  const auto fewer = records_of(whole.first(whole.size() - 5), error);
  EXPECT_LT(fewer.size(), records);
  EXPECT_GT(fewer.size(), 0u);
  EXPECT_NE(error.find("ends within a block at byte "), error.npos) << error;
}

TEST(Recording, WithOneDamagedByteAnywhereIsRefusedByItsChecksum) {
  const Tape::Life life = longest_life(7, 1'000'000);
  Rng rng(1);
  for (int i = 0; i < 50; ++i) {
    auto damaged = life[0];
    const std::size_t at = rng.below(damaged.size());
    damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ (1u << rng.below(8)));
    std::string error;
    (void)records_of(damaged, error);
    EXPECT_NE(error, "") << "byte " << at;
  }
}

TEST(Recording, OfSomethingElseIsNotOne) {
  std::string error;
  const std::string text = "{\"ok\": true}";
  (void)records_of(Bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()), error);
  EXPECT_EQ(error, "not a recording of hotpaird: it does not begin with HPRC");
}

TEST(Recording, KeepsAReloadTheClockAndAGap) {
  NodeConfig config = simulation::default_config(1);
  const Instant t0 = Instant(5s);
  Node node(config, PersistedState{}, t0);
  RecordingWriter writer;
  RecordingStart start;
  start.version = "1.2.3";
  start.at = t0;
  start.wall_ms = 1'700'000'000'000;
  writer.start(start, config, nullptr);
  Actions actions;
  const Event first{t0, DeadlineReached{}};
  node.step(first, actions);
  writer.stepped(first, actions, node);
  config.priority = 200;
  node.reconfigure(config, t0 + 1s, actions);
  writer.reconfigured(t0 + 1s, config, actions, node);
  writer.clock(t0 + 2s, 1'700'000'100'000);
  writer.gap(t0 + 3s, 42);
  const auto file = writer.take();

  std::string error;
  const auto records = records_of(file, error);
  ASSERT_EQ(error, "");
  ASSERT_EQ(records.size(), 5u);
  EXPECT_EQ(std::get<Started>(records[0]).start.wall_ms, 1'700'000'000'000u);
  EXPECT_EQ(std::get<Started>(records[0]).start.version.view(), "1.2.3");
  EXPECT_EQ(std::get<Reconfigured>(records[2]).config.priority, 200u);
  EXPECT_EQ(std::get<ClockSeen>(records[3]).wall_ms, 1'700'000'100'000u);
  EXPECT_EQ(std::get<RecordingGap>(records[4]).steps, 42u);
  Replay player;
  Found found;
  replay(player, records, found);
  EXPECT_EQ(found.error, "");
  EXPECT_EQ(found.difference, Difference::none);
}

TEST(NodeSnapshot, OfAnotherVersionIsReadForWhatItKnows) {
  const NodeConfig config = simulation::default_config(1);
  const Node node(config, PersistedState{{8}, Forced::none}, Instant(5s));
  std::vector<std::uint8_t> bytes(kMaxSnapshotSize);
  bytes.resize(NodeSnapshot::write(node, bytes));
  // A field more, and one under another name.
  std::string text(bytes.begin(), bytes.end());
  text.replace(text.find("impasse_reported"), 16, "impasse_told_of_");
  text += std::string("\x05newer\x00\x01!", 9);
  const Bytes changed(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  const auto read = NodeSnapshot::read(changed, config);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->missing, 1u);
  EXPECT_EQ(read->unknown, 2u);
}

TEST(NodeSnapshot, WithAnImpossibleValueNamesIt) {
  const NodeConfig config = simulation::default_config(1);
  const Node node(config, PersistedState{}, Instant(5s));
  std::vector<std::uint8_t> bytes(kMaxSnapshotSize);
  bytes.resize(NodeSnapshot::write(node, bytes));
  std::string text(bytes.begin(), bytes.end());
  const std::size_t role = text.find(std::string("\x04role\x00\x01", 7));
  ASSERT_NE(role, text.npos);
  text[role + 7] = 9;
  const auto read = NodeSnapshot::read(
      Bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()), config);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error(), "role");
}

}  // namespace
}  // namespace hotpair::agent
