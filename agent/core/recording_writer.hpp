// Writes a recording into memory, block by block; who carries the blocks to a file is the caller.
// A step costs some microseconds at most, an idle pair's heartbeat some hundred nanoseconds and
// about twelve bytes. One thread.
#pragma once

#include <memory>

#include "agent/core/node.hpp"
#include "agent/core/recording.hpp"

namespace hotpair::agent {

class RecordingWriter {
 public:
  RecordingWriter();
  ~RecordingWriter();
  RecordingWriter(RecordingWriter&&) noexcept;
  RecordingWriter& operator=(RecordingWriter&&) noexcept;

  // Begins a segment; what was pending is dropped. `node` null: it is constructed from `config` and
  // start.persisted; else it goes on from where it is.
  void start(const RecordingStart& start, const NodeConfig& config, const Node* node);
  // After each step, before or after its actions are carried out.
  void stepped(const Event& event, const Actions& actions, const Node& after);
  void reconfigured(Instant at, const NodeConfig& config, const Actions& actions,
                    const Node& after);
  void clock(Instant at, std::uint64_t wall_ms);
  void gap(Instant at, std::uint64_t steps);
  void end(Instant at);

  // What is not yet taken.
  std::size_t pending() const;
  // The next bytes of the file: whole blocks, the file's header before the first.
  std::vector<std::uint8_t> take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hotpair::agent
