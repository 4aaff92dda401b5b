#include "agent/daemon/recorder.hpp"

#include <algorithm>
#include <cstdlib>

namespace hotpair::daemon {
namespace {

constexpr std::int64_t kClockTolerance = 50;  // ms; more is a clock that was set

bool changes_role(const agent::Actions& actions) {
  return std::any_of(actions.begin(), actions.end(), [](const agent::Action& action) {
    return std::holds_alternative<agent::ReportRoleChange>(action);
  });
}

}  // namespace

Recorder::Recorder(Needs needs)
    : needs_(std::move(needs)),
      files_(std::make_shared<RecordingFiles>(needs_.directory, needs_.limit)) {}

void Recorder::start(const agent::NodeConfig& config, const agent::PersistedState& persisted,
                     Instant at) {
  config_ = config;
  persisted_ = persisted;
  life_ms_ = needs_.wall_clock();
  begin(at, false, nullptr);
}

void Recorder::begin(Instant at, bool continues, const agent::Node* node) {
  agent::RecordingStart start;
  start.version = needs_.version;
  start.segment = segment_++;
  start.life_ms = life_ms_;
  start.continues = continues;
  start.at = at;
  start.wall_ms = needs_.wall_clock();
  start.persisted = persisted_;
  clock_distance_ms_ = static_cast<std::int64_t>(start.wall_ms) - to_ms(at.time_since_epoch());
  writer_.start(start, config_, node);
  segment_bytes_ = 0;
  dropped_now_ = 0;
  role_changed_ = false;
  mode_ = Mode::recording;
  write([files = files_] { return files->begin(); }, 0);
}

bool Recorder::records() const {
  return mode_ == Mode::recording && owed_bytes_ + writer_.pending() <= kRecorderMemory;
}

void Recorder::stepped(const agent::Event& event, const agent::Actions& actions,
                       const agent::Node& after) {
  if (!records()) return missed(event.at, after);
  writer_.stepped(event, actions, after);
  recorded(actions, event.at, after);
}

void Recorder::reconfigured(Instant at, const agent::NodeConfig& config,
                            const agent::Actions& actions, const agent::Node& after) {
  config_ = config;
  if (!records()) return missed(at, after);
  writer_.reconfigured(at, config, actions, after);
  recorded(actions, at, after);
}

void Recorder::recorded(const agent::Actions& actions, Instant at, const agent::Node& after) {
  role_changed_ = role_changed_ || changes_role(actions);
  if (segment_bytes_ + writer_.pending() < kSegmentSize) return;
  writer_.end(at);
  hand_over();
  begin(at, true, &after);
}

void Recorder::missed(Instant at, const agent::Node& after) {
  if (mode_ == Mode::recording) mode_ = Mode::overrun;
  ++dropped_;
  ++dropped_now_;
  if (owed_writes_ != 0 || (mode_ == Mode::failed && at < retry_at_)) return;
  if (mode_ == Mode::overrun) {
    writer_.gap(at, dropped_now_);
    hand_over();
    needs_.log.warning("recording-gap",
                       std::to_string(dropped_now_) +
                           " steps are missing in the recording: the disk was too slow for them; "
                           "see 'iostat -x 1'",
                       {{"steps", dropped_now_}});
  }
  begin(at, false, &after);
}

void Recorder::after_turn(Instant now) {
  now_ = now;
  if (mode_ != Mode::recording || (now < flush_at_ && !role_changed_)) return;
  flush_at_ = now + kRecorderFlush;
  keep_clock(now);
  hand_over();
}

void Recorder::finish(Instant now) {
  if (mode_ != Mode::recording) return;
  writer_.end(now);
  hand_over();
}

// A wall clock that was set moves against the one that only rises.
void Recorder::keep_clock(Instant now) {
  const std::uint64_t wall = needs_.wall_clock();
  const std::int64_t distance = static_cast<std::int64_t>(wall) - to_ms(now.time_since_epoch());
  if (std::abs(distance - clock_distance_ms_) <= kClockTolerance) return;
  clock_distance_ms_ = distance;
  writer_.clock(now, wall);
}

void Recorder::hand_over() {
  auto bytes = std::make_shared<std::vector<std::uint8_t>>(writer_.take());
  segment_bytes_ += bytes->size();
  if (!bytes->empty())
    write([files = files_, bytes] { return files->append(*bytes); }, bytes->size());
  if (std::exchange(role_changed_, false))
    write([files = files_] { return files->note_role_change(); }, 0);
}

void Recorder::write(std::function<Status()> work, std::size_t bytes) {
  owed_bytes_ += bytes;
  ++owed_writes_;
  needs_.disk(std::move(work), [this, bytes](const Status& status) { written(status, bytes); });
}

// What was already handed over of a segment that failed fails too, and is not told again.
void Recorder::written(const Status& status, std::size_t bytes) {
  owed_bytes_ -= bytes;
  --owed_writes_;
  if (status) {
    if (mode_ == Mode::recording) error_.clear();
    return;
  }
  if (mode_ == Mode::failed) return;
  mode_ = Mode::failed;
  retry_at_ = now_ + kRecorderRetry;
  error_ = status.error().message;
  needs_.log.warning("recording-failed",
                     "nothing is recorded for replay at present: " + error_ +
                         "; tried again every " + std::to_string(kRecorderRetry / 1s) + " s",
                     {{"directory", needs_.directory}});
}

}  // namespace hotpair::daemon
