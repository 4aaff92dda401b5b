// The recorder in front of a disk that the test holds: what is written replays, and a disk that is
// slow or full costs steps, never time.
#include "agent/daemon/recorder.hpp"

#include <deque>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/core/recording_reader.hpp"
#include "agent/core/recording_replay.hpp"
#include "platform/linux/files.hpp"
#include "tests/sim/world.hpp"
#include "tests/unit/platform/temporary_directory.hpp"

namespace hotpair::daemon {
namespace {

using agent::Replayed;
using testing::ElementsAre;
using testing::HasSubstr;

// Does what is handed over when it is told to.
struct HeldDisk {
  std::deque<std::pair<std::function<Status()>, std::function<void(const Status&)>>> waiting;
  void work() {
    while (!waiting.empty()) {
      auto [work, done] = std::move(waiting.front());
      waiting.pop_front();
      done(work());
    }
  }
};

// A node that hears its peer, and the recorder beside it.
struct Recorded {
  test::TemporaryDirectory directory;
  HeldDisk disk;
  std::vector<std::string> log;
  std::uint64_t wall_ms = 1'700'000'000'000;
  Instant now = Instant(10s);
  agent::NodeConfig config = simulation::default_config(1);
  agent::Node node{config, agent::PersistedState{}, now};
  agent::Actions actions;
  Recorder recorder{Recorder::Needs{
      [this](auto work, auto done) { disk.waiting.emplace_back(std::move(work), std::move(done)); },
      [this] { return wall_ms; }, Log([this](const LogRecord& r) { log.push_back(r.event); }),
      directory.file("recordings"), 64 << 20, "1.2.3"}};
  std::uint64_t sequence = 0;

  Recorded() { recorder.start(config, agent::PersistedState{}, now); }

  void step(EventBody what) {
    const agent::Event event{now, std::move(what)};
    node.step(event, actions);
    recorder.stepped(event, actions, node);
    recorder.after_turn(now);
  }
  void hear(std::size_t heartbeats, std::size_t padding = 0) {
    for (std::size_t i = 0; i < heartbeats; ++i) {
      now += 10ms;
      wall_ms += 10;
      agent::Heartbeat heartbeat;
      heartbeat.sequence = ++sequence;
      heartbeat.role = agent::Role::primary;
      heartbeat.epoch = {2};
      // Text that is never the same twice makes a long record.
      if (padding != 0) {
        std::string text;
        for (std::size_t at = 0; at < padding; ++at)
          text += static_cast<char>('a' + (sequence * 7 + at * sequence) % 26);
        heartbeat.role_reason = text;
      }
      step(agent::HeartbeatReceived{0, now, i == 0, heartbeat});
    }
  }
  std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory.file("recordings")))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }
  // Replays all files in order: the first difference, and the kinds of the last records.
  Replayed::Difference replay(std::uint64_t& steps, std::vector<std::size_t>& last_records) {
    agent::Replay replay;
    auto difference = Replayed::Difference::none;
    for (const auto& name : files()) {
      const auto content = sys::read_file(directory.file("recordings/" + name), 64 << 20);
      const std::string& text = content->text;
      agent::RecordingReader reader(
          Bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
      agent::Record record;
      while (*reader.next(record)) {
        const auto replayed = replay.take(record);
        if (difference == Replayed::Difference::none) difference = replayed->difference;
      }
      last_records.push_back(record.index());
    }
    steps = replay.steps();
    return difference;
  }
};

constexpr std::size_t kGapRecord = 4, kEndRecord = 5;

TEST(Recorder, WritesWhatReplaysToTheSameDecisions) {
  Recorded pair;
  pair.step(agent::DeadlineReached{});
  pair.hear(300);
  pair.recorder.finish(pair.now);
  pair.disk.work();
  std::uint64_t steps = 0;
  std::vector<std::size_t> last;
  EXPECT_EQ(pair.replay(steps, last), Replayed::Difference::none);
  EXPECT_EQ(steps, 301u);
  EXPECT_THAT(last, ElementsAre(kEndRecord));
  EXPECT_THAT(pair.files(), ElementsAre("00000001-role.hprec")) << "it became backup";
  EXPECT_EQ(pair.recorder.dropped(), 0u);
}

TEST(Recorder, BeginsANewSegmentWhereOneIsFullAndLosesNothing) {
  Recorded pair;
  pair.step(agent::DeadlineReached{});
  for (int i = 0; i < 90; ++i) {
    pair.hear(400, 190);
    pair.disk.work();
  }
  pair.recorder.finish(pair.now);
  pair.disk.work();
  EXPECT_GT(pair.files().size(), 1u);
  std::uint64_t steps = 0;
  std::vector<std::size_t> last;
  EXPECT_EQ(pair.replay(steps, last), Replayed::Difference::none);
  EXPECT_EQ(steps, 36'001u);
}

TEST(Recorder, DropsStepsWhenTheDiskStandsStillAndGoesOnInANewSegment) {
  Recorded pair;
  pair.step(agent::DeadlineReached{});
  while (pair.recorder.dropped() == 0) pair.hear(100, 190);
  pair.hear(100);
  const std::uint64_t dropped = pair.recorder.dropped();
  EXPECT_GT(dropped, 100u);
  pair.disk.work();
  pair.hear(10);
  pair.recorder.finish(pair.now);
  pair.disk.work();
  std::uint64_t steps = 0;
  std::vector<std::size_t> last;
  EXPECT_EQ(pair.replay(steps, last), Replayed::Difference::none);
  EXPECT_THAT(last, ElementsAre(kGapRecord, kEndRecord));
  EXPECT_THAT(pair.log, ElementsAre("recording-gap"));
}

TEST(Recorder, SaysOnceThatTheDirectoryCannotBeWrittenAndTriesAgain) {
  Recorded pair;
  pair.directory.write("recordings", "a file where the directory should be");
  pair.step(agent::DeadlineReached{});
  pair.hear(200);
  pair.disk.work();
  pair.hear(200);
  pair.disk.work();
  EXPECT_THAT(pair.log, ElementsAre("recording-failed"));
  EXPECT_NE(pair.recorder.error(), "");
  std::filesystem::remove(pair.directory.file("recordings"));
  pair.now += kRecorderRetry;
  pair.hear(200);
  pair.disk.work();
  EXPECT_EQ(pair.recorder.error(), "");
  EXPECT_EQ(pair.files().size(), 1u);
}

TEST(Recorder, NotesAWallClockThatWasSet) {
  Recorded pair;
  pair.step(agent::DeadlineReached{});
  pair.hear(100);
  pair.wall_ms += 3'600'000;
  pair.hear(200);
  pair.recorder.finish(pair.now);
  pair.disk.work();
  const auto content =
      sys::read_file(pair.directory.file("recordings/" + pair.files()[0]), 64 << 20);
  agent::RecordingReader reader(
      Bytes(reinterpret_cast<const std::uint8_t*>(content->text.data()), content->text.size()));
  agent::Record record;
  std::vector<std::uint64_t> clocks;
  while (*reader.next(record))
    if (const auto* seen = std::get_if<agent::ClockSeen>(&record)) clocks.push_back(seen->wall_ms);
  ASSERT_EQ(clocks.size(), 1u);
  EXPECT_GE(clocks[0], 1'700'003'600'000u);
}

TEST(RecordingFiles, KeepHalfForTheNewestAndHalfForChangesOfRole) {
  std::vector<SegmentFile> files;
  for (std::uint64_t number = 1; number <= 30; ++number)
    files.push_back({number, kSegmentSize, number == 3 || number == 5});
  std::vector<std::uint64_t> gone;
  for (const auto& file : expendable(files, 8 * kSegmentSize)) gone.push_back(file.number);
  // Room for four of the newest, the one to come among them, and for four with a change of role.
  for (const std::uint64_t kept : {30u, 29u, 28u, 5u, 3u})
    EXPECT_THAT(gone, testing::Not(testing::Contains(kept)));
  EXPECT_EQ(gone.size(), 25u);
}

TEST(RecordingFiles, AreBoundedInNumberToo) {
  std::vector<SegmentFile> files;
  for (std::uint64_t number = 1; number <= 500; ++number) files.push_back({number, 100, true});
  EXPECT_EQ(expendable(files, 64 << 20).size(), 500 - (kMostSegments - 1));
}

TEST(RecordingFiles, KnowTheirOwnNames) {
  EXPECT_EQ(parse_segment_name(segment_name(12, true)), (SegmentFile{12, 0, true}));
  EXPECT_EQ(parse_segment_name(segment_name(123456789, false)), (SegmentFile{123456789, 0, false}));
  for (const char* other : {"", "notes.txt", "12.hprec", "-role.hprec", "0000000x.hprec"})
    EXPECT_EQ(parse_segment_name(other).number, 0u) << other;
}

}  // namespace
}  // namespace hotpair::daemon
