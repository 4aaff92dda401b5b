#include "tools/replay/player.hpp"

#include <cinttypes>
#include <cstdio>
#include <ctime>

#include "agent/core/recording_reader.hpp"
#include "tools/replay/words.hpp"

namespace hotpair::replay {

using namespace agent;

namespace {

template <typename Actions>
std::vector<std::string> all_in_words(const Actions& actions) {
  std::vector<std::string> words;
  for (const Action& action : actions) words.push_back(in_words(action));
  return words;
}

// Heartbeats and deadlines come hundreds of times a second and mostly change nothing.
bool routine(const Event& event) {
  return std::holds_alternative<HeartbeatReceived>(event.what) ||
         std::holds_alternative<DeadlineReached>(event.what) ||
         std::holds_alternative<DataplaneState>(event.what);
}

}  // namespace

std::string WallClock::text(Instant when) const {
  const std::int64_t us = static_cast<std::int64_t>(wall_ms) * 1000 + to_us(when - at);
  const std::time_t seconds = us / 1'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char date[32], text[48];
  std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text, sizeof text, "%s.%06" PRId64 "Z", date, std::abs(us % 1'000'000));
  return text;
}

struct Player::Playing {
  FileReport report;
  Instant began, last;
  std::uint64_t steps_before = 0;
};

FileReport Player::play(const std::string& name, Bytes file) {
  Playing playing;
  playing.report.file = name;
  playing.steps_before = replay_.steps();
  RecordingReader reader(file);
  for (Record record;;) {
    const auto more = reader.next(record);
    if (!more) playing.report.error = more.error().text();
    if (!more || !*more || !take(record, playing)) break;
  }
  FileReport& report = playing.report;
  report.steps = replay_.steps() - playing.steps_before;
  report.length = playing.last - playing.began;
  report.fields_missing = reader.missing_fields();
  report.fields_unknown = reader.unknown_fields();
  if (const Node* node = replay_.node()) report.role = to_string(node->status(playing.last).role);
  return std::move(report);
}

// False: no further.
bool Player::take(const Record& record, Playing& playing) {
  const auto replayed = replay_.take(record);
  if (!replayed) {
    playing.report.error = replayed.error();
    return false;
  }
  if (const auto* started = std::get_if<Started>(&record)) {
    begin(*started, playing);
    if (replayed->difference == Replayed::Difference::snapshot)
      playing.report.difference =
          Difference{started->start.at,
                     clock_.text(started->start.at),
                     0,
                     "this segment begins with another node than the one before ended with",
                     {},
                     {},
                     {}};
  }
  if (const auto* stepped = std::get_if<Stepped>(&record))
    step(stepped->event.at, &stepped->event, stepped->outcome, *replayed, playing);
  if (const auto* changed = std::get_if<Reconfigured>(&record)) {
    config_ = changed->config;
    step(changed->at, nullptr, changed->outcome, *replayed, playing);
  }
  if (const auto* seen = std::get_if<ClockSeen>(&record)) clock_ = {seen->at, seen->wall_ms};
  if (const auto* gap = std::get_if<RecordingGap>(&record))
    playing.report.missing_steps += gap->steps;
  return !playing.report.difference;
}

void Player::begin(const Started& started, Playing& playing) {
  config_ = started.config;
  clock_ = {started.start.at, started.start.wall_ms};
  playing.began = playing.last = started.start.at;
  // Another life has another clock: its times are told from its own beginning.
  if (!first_ || !started.start.continues) first_ = started.start.at;
  FileReport& report = playing.report;
  report.version = started.start.version.view();
  report.hostname = started.config.hostname.view();
  report.chassis = static_cast<int>(started.config.self);
  report.segment = started.start.segment;
  report.continues = started.start.continues;
  report.from_snapshot = !started.snapshot.empty();
  report.began = clock_.text(started.start.at);
}

void Player::step(Instant at, const Event* event, const Outcome& recorded, const Replayed& replayed,
                  Playing& playing) {
  playing.last = at;
  Told told;
  told.at = at;
  told.since_start = at - *first_;
  told.noteworthy = event == nullptr || !routine(*event);
  for (const Action& action : *replayed.decided) {
    if (tells(action)) told.decisions.push_back(in_words(action));
    if (reports(action)) told.reports.push_back(in_words(action));
    if (std::holds_alternative<ReportRoleChange>(action)) ++playing.report.role_changes;
  }
  const bool differs = replayed.difference != Replayed::Difference::none;
  if (!told.decisions.empty() || told.noteworthy || differs) {
    told.time = clock_.text(at);
    told.kind = event != nullptr ? kind_of(*event) : "configuration";
    told.event = event != nullptr ? in_words(*event, config_) : "the configuration was reloaded";
    tell_(told);
  }
  if (!differs) return;
  Difference difference{at,
                        told.time,
                        replay_.steps() - playing.steps_before,
                        told.event,
                        all_in_words(recorded.actions),
                        all_in_words(*replayed.decided),
                        differences(recorded.actions, *replayed.decided)};
  if (replayed.difference == Replayed::Difference::state) {
    const NodeStatus status = replay_.node()->status(at);
    const auto next = replay_.node()->next_deadline();
    difference.details.push_back(
        "what was asked for is the same, but not the role, the epoch or when the node looks "
        "again; now it is " +
        std::string(to_string(status.role)) + " at epoch " + std::to_string(status.epoch.number) +
        " and looks again " + (next ? "at " + clock_.text(*next) : std::string("never")));
  }
  playing.report.difference = std::move(difference);
}

}  // namespace hotpair::replay
