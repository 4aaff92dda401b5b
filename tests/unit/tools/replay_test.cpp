// What hotpair-replay says of a recording: the same, otherwise and where, or damaged and where.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/core/recording_reader.hpp"
#include "agent/core/recording_writer.hpp"
#include "tests/sim/tape.hpp"
#include "tests/sim/world.hpp"
#include "tools/replay/report.hpp"

namespace hotpair::replay {
namespace {

using simulation::Tape;
using testing::HasSubstr;
using testing::StartsWith;

// The second node boots, takes over when the first loses power, and is recorded.
Tape::File power_loss() {
  Tape tape(1'000'000);
  simulation::World world(1);
  world.observer = &tape;
  for (int chassis : {1, 2}) world.box(chassis).start_agent();
  for (int chassis : {1, 2}) world.box(chassis).start_dataplane();
  world.run(3s);
  const int primary = world.box(1).status().role == agent::Role::primary ? 1 : 2;
  world.box(primary).power_off();
  world.run(1s);
  Tape::File longest;
  for (const auto& life : tape.lives())
    if (life[0].size() > longest.size()) longest = life[0];
  return longest;
}

TEST(Replay, TellsTheStoryOfATakeover) {
  std::string story;
  Player player([&](const Told& told) { story += story_lines(told, 1); });
  const FileReport report = player.play("a.hprec", power_loss());
  EXPECT_EQ(report.error, "");
  EXPECT_FALSE(report.difference);
  EXPECT_EQ(report.role, "primary");
  EXPECT_GE(report.role_changes, 2u);
  EXPECT_THAT(story, HasSubstr("backup -> primary (failover, epoch "));
  EXPECT_THAT(in_words(report), HasSubstr(" primary in the end: the same decisions\n"));
  EXPECT_TRUE(to_json(report)["ok"].get<bool>());
}

// The file as it would be had the node decided otherwise: one reason is other words.
TEST(Replay, NamesTheFirstDecisionThatIsOtherNowAndBothOfThem) {
  const Tape::File file = power_loss();
  agent::RecordingReader reader(file);
  agent::Record record;
  agent::RecordingWriter writer;
  std::optional<agent::Node> node;
  bool changed = false;
  while (*reader.next(record)) {
    if (const auto* started = std::get_if<agent::Started>(&record)) {
      node.emplace(started->config, started->start.persisted, started->start.at);
      writer.start(started->start, started->config, nullptr);
    }
    const auto* step = std::get_if<agent::Stepped>(&record);
    if (step == nullptr) continue;
    agent::Actions actions;
    node->step(step->event, actions);
    for (agent::Action& action : actions)
      if (auto* role = std::get_if<agent::ReportRoleChange>(&action);
          role != nullptr && role->to == agent::Role::primary && !changed) {
        role->reason = "because it felt like it";
        changed = true;
      }
    writer.stepped(step->event, actions, *node);
  }
  ASSERT_TRUE(changed);
  Player player([](const Told&) {});
  const FileReport report = player.play("a.hprec", writer.take());
  EXPECT_EQ(report.error, "");
  ASSERT_TRUE(report.difference);
  ASSERT_EQ(report.difference->details.size(), 1u);
  EXPECT_THAT(report.difference->details[0],
              StartsWith("role, reason: recorded \"because it felt like it\", now \""));
  EXPECT_THAT(in_words(report), HasSubstr("THE CODE NOW DECIDES OTHERWISE at "));
  EXPECT_FALSE(to_json(report)["ok"].get<bool>());
}

TEST(Replay, OfAFileThatIsCutTellsWhatStandsBeforeAndWhereItEnds) {
  Tape::File file = power_loss();
  file.erase(file.end() - 100, file.end());
  Player player([](const Told&) {});
  const FileReport report = player.play("a.hprec", file);
  EXPECT_GT(report.steps, 0u);
  EXPECT_THAT(in_words(report), HasSubstr("cannot go on: the file ends within a block at byte "));
}

}  // namespace
}  // namespace hotpair::replay
