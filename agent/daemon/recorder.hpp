// Records every step of the node into bounded files, for hotpair-replay. The main loop only
// appends to memory; the disk's worker writes, once a second and at once after a change of role.
// Where the disk does not keep up, or fails, steps are dropped and counted, the segment ends with a
// gap, and a new one begins from where the node then is. Nothing here ever waits.
//
// What was written survives the end of the process however it ends; it is not synced, so a power
// loss may take the last seconds (the peer's recording has its side of them).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/core/recording_writer.hpp"
#include "agent/daemon/engine.hpp"
#include "agent/daemon/recording_files.hpp"
#include "platform/base/log.hpp"

namespace hotpair::daemon {

constexpr std::size_t kRecorderMemory = 2 << 20;  // what the disk may owe
constexpr Duration kRecorderFlush = 1s, kRecorderRetry = 60s;

class Recorder final : public StepObserver {
 public:
  // Does `work` elsewhere, one after the other, then `done` with its outcome here.
  using Disk =
      std::function<void(std::function<Status()> work, std::function<void(const Status&)> done)>;
  using WallClock = std::function<std::uint64_t()>;  // milliseconds since 1970
  struct Needs {
    Disk disk;
    WallClock wall_clock;
    Log log;
    std::string directory;
    std::uint64_t limit;  // bytes, of all files together
    std::string version;  // of the program
  };

  explicit Recorder(Needs needs);

  // The node is constructed from these, now.
  void start(const agent::NodeConfig& config, const agent::PersistedState& persisted, Instant at);
  void stepped(const agent::Event& event, const agent::Actions& actions,
               const agent::Node& after) override;
  void reconfigured(Instant at, const agent::NodeConfig& config, const agent::Actions& actions,
                    const agent::Node& after) override;
  // After each turn of the loop: hands over what is due.
  void after_turn(Instant now);
  // An orderly end: what is in memory is handed to the disk.
  void finish(Instant now);

  std::uint64_t dropped() const { return dropped_; }   // steps, since the start
  const std::string& error() const { return error_; }  // empty: it records

 private:
  enum class Mode : std::uint8_t { recording, overrun, failed };
  bool records() const;
  void recorded(const agent::Actions& actions, Instant at, const agent::Node& after);
  void missed(Instant at, const agent::Node& after);
  void begin(Instant at, bool continues, const agent::Node* node);
  void hand_over();
  void write(std::function<Status()> work, std::size_t bytes);
  void written(const Status& status, std::size_t bytes);
  void keep_clock(Instant now);

  Needs needs_;
  std::shared_ptr<RecordingFiles> files_;  // the disk's
  agent::RecordingWriter writer_;
  agent::NodeConfig config_;
  agent::PersistedState persisted_;
  Mode mode_ = Mode::recording;
  bool role_changed_ = false;
  std::uint64_t life_ms_ = 0, segment_ = 0, segment_bytes_ = 0;
  std::size_t owed_bytes_ = 0, owed_writes_ = 0;  // handed over and not yet done
  std::uint64_t dropped_ = 0, dropped_now_ = 0;
  std::int64_t clock_distance_ms_ = 0;
  Instant flush_at_, retry_at_, now_;
  std::string error_;
};

}  // namespace hotpair::daemon
