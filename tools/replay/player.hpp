// Plays recordings: each file through the core, and what is to be told of it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/recording_replay.hpp"

namespace hotpair::replay {

// The two clocks of a recording: its own, which only rises, and the wall's.
struct WallClock {
  Instant at;
  std::uint64_t wall_ms = 0;
  std::string text(Instant when) const;  // "2026-03-01T12:00:00.123456Z"
};

struct Difference {
  Instant at;
  std::string time;  // of the wall clock
  std::uint64_t step = 0;
  std::string event;                       // in words
  std::vector<std::string> recorded, now;  // what was done then, what is decided now
  std::vector<std::string> details;        // field by field
};

// One step, for who wants to tell it.
struct Told {
  Instant at;
  Duration since_start{};  // of the first file
  std::string time;
  std::string kind, event;
  std::vector<std::string> decisions;  // in words
  std::vector<std::string> reports;    // those of them that people were told of
  bool noteworthy = false;             // neither a heartbeat nor a deadline that changed nothing
};
using Tell = std::function<void(const Told&)>;

struct FileReport {
  std::string file;
  std::string error;  // the file is damaged, or not one: sentence
  std::string version, hostname, role;
  int chassis = 0;
  std::uint64_t segment = 0;
  bool continues = false, from_snapshot = false;
  std::string began;  // of the wall clock
  Duration length{};
  std::uint64_t steps = 0, missing_steps = 0;
  std::size_t role_changes = 0;
  std::size_t fields_missing = 0, fields_unknown = 0;
  std::optional<Difference> difference;
};

class Player {
 public:
  explicit Player(Tell tell) : tell_(std::move(tell)) {}
  // Until its end, its first difference, or what cannot be read.
  FileReport play(const std::string& name, Bytes file);
  int chassis() const { return static_cast<int>(config_.self); }  // of the node being played

 private:
  struct Playing;
  bool take(const agent::Record& record, Playing& playing);
  void begin(const agent::Started& started, Playing& playing);
  void step(Instant at, const agent::Event* event, const agent::Outcome& recorded,
            const agent::Replayed& replayed, Playing& playing);

  agent::Replay replay_;
  Tell tell_;
  WallClock clock_;
  agent::NodeConfig config_;
  std::optional<Instant> first_;
};

}  // namespace hotpair::replay
