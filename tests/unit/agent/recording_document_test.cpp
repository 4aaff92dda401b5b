// The hex dump of agent/RECORDING.md is what the writer writes, and reads back as what was written.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "agent/core/recording_reader.hpp"
#include "agent/core/recording_replay.hpp"
#include "agent/core/recording_writer.hpp"

namespace hotpair::agent {
namespace {

std::vector<std::uint8_t> example() {
  NodeConfig config;
  config.serial = "FW-0001";
  config.hostname = "fw1";
  config.paths[0] = {true, PathConfig::Kind::heartbeat, "ha0"};
  config.data_interfaces.push_back({"lan", false, ""});
  RecordingStart start;
  start.version = "0.1.0";
  start.life_ms = start.wall_ms = 1'700'000'000'000;
  start.at = Instant(100s);
  start.persisted.epoch = {2};
  Node node(config, start.persisted, start.at);
  RecordingWriter writer;
  writer.start(start, config, nullptr);
  Actions actions;
  const auto step = [&](Duration after, const decltype(Event::what)& what) {
    const Event event{start.at + after, what};
    node.step(event, actions);
    writer.stepped(event, actions, node);
  };
  Heartbeat heartbeat;
  heartbeat.role = Role::primary;
  heartbeat.epoch = {4};
  for (const std::uint64_t sequence : {11u, 12u}) {
    heartbeat.sequence = sequence;
    heartbeat.loop_age_us = 1500;
    const Duration after = 10ms * static_cast<std::int64_t>(sequence);
    step(after, HeartbeatReceived{0, start.at + after - 80us, sequence == 11, heartbeat});
  }
  step(125ms, LinkChanged{0, true, false, 0, 10'000});
  writer.end(start.at + 1s);
  return writer.take();
}

std::string dump(Bytes bytes) {
  std::string out;
  char text[32];
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i % 16 == 0) {
      std::snprintf(text, sizeof text, "%04zx ", i);
      out += text;
    }
    std::snprintf(text, sizeof text, " %02x", bytes[i]);
    out += text;
    if (i % 16 == 15 || i + 1 == bytes.size()) out += "\n";
  }
  return out;
}

TEST(RecordingDocument, ShowsTheRecordingThatIsWritten) {
  const auto path = std::filesystem::path(__FILE__).parent_path() / "../../../agent/RECORDING.md";
  std::ostringstream all;
  all << std::ifstream(path).rdbuf();
  std::string text = all.str();
  const std::string mark = "<!-- vector: recording -->\n```\n";
  const std::size_t begin = text.find(mark) + mark.size();
  const std::size_t end = text.find("```", begin);
  ASSERT_NE(end, text.npos);
  const std::string now = dump(example());
  if (std::getenv("HOTPAIR_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << text.replace(begin, end - begin, now);
    return;
  }
  EXPECT_EQ(text.substr(begin, end - begin), now) << "HOTPAIR_UPDATE_GOLDEN=1 rewrites it";
}

TEST(RecordingDocument, IsReplayed) {
  const auto file = example();
  RecordingReader reader(file);
  Replay replay;
  std::size_t records = 0;
  for (Record record; *reader.next(record); ++records)
    EXPECT_EQ(replay.take(record)->difference, Replayed::Difference::none);
  EXPECT_EQ(records, 5u);
  EXPECT_EQ(replay.steps(), 3u);
  EXPECT_EQ(replay.node()->status(Instant(101s)).role, Role::backup);
}

}  // namespace
}  // namespace hotpair::agent
