// Records what the simulated agents live through, one recording a life, in segments as the daemon
// does it.
#pragma once

#include <map>

#include "agent/core/recording_writer.hpp"
#include "tests/sim/box.hpp"

namespace hotpair::simulation {

class Tape final : public StepObserver {
 public:
  using File = std::vector<std::uint8_t>;  // one segment
  using Life = std::vector<File>;

  explicit Tape(std::uint64_t steps_a_segment) : limit_(steps_a_segment) {}

  void started(const Box& box, Instant now) override {
    finish(box.id());
    Running& running = running_[box.id()];
    running = Running{};
    running.start.version = "test";
    running.start.at = now;
    running.start.persisted = box.disk;
    running.config = box.config;
    running.writer.start(running.start, running.config, nullptr);
  }

  void stepped(const Box& box, const agent::Event& event, const agent::Actions& actions,
               const agent::Node& after) override {
    Running& running = running_[box.id()];
    running.writer.stepped(event, actions, after);
    if (++running.steps % 64 == 0) add(running.file, running.writer.take());
    if (running.steps < limit_) return;
    running.writer.end(event.at);
    close_segment(running);
    running.steps = 0;
    ++running.start.segment;
    running.start.continues = true;
    running.start.at = event.at;
    running.writer.start(running.start, running.config, &after);
  }

  void reconfigured(const Box& box, Instant at, const agent::Actions& actions,
                    const agent::Node& after) override {
    Running& running = running_[box.id()];
    running.config = box.config;
    running.writer.reconfigured(at, running.config, actions, after);
  }

  // Every life so far, of both boxes.
  const std::vector<Life>& lives() {
    finish(agent::ChassisId::one);
    finish(agent::ChassisId::two);
    return lives_;
  }

 private:
  struct Running {
    agent::RecordingWriter writer;
    agent::RecordingStart start;
    agent::NodeConfig config;
    std::uint64_t steps = 0;
    File file;
    Life life;
  };

  static void add(File& file, const File& bytes) {
    file.insert(file.end(), bytes.begin(), bytes.end());
  }
  static void close_segment(Running& running) {
    add(running.file, running.writer.take());
    running.life.push_back(std::exchange(running.file, {}));
  }
  void finish(agent::ChassisId id) {
    const auto found = running_.find(id);
    if (found == running_.end()) return;
    close_segment(found->second);
    lives_.push_back(std::move(found->second.life));
    running_.erase(found);
  }

  std::uint64_t limit_;
  std::map<agent::ChassisId, Running> running_;
  std::vector<Life> lives_;
};

}  // namespace hotpair::simulation
