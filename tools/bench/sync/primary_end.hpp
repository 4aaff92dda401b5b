// The primary's end of the measurement: an engine that is fed from the load, phase after phase, and
// turned as the data plane's loop turns it. One thread.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "dataplane/core/engine.hpp"
#include "tools/bench/sync/envelope.hpp"
#include "tools/bench/sync/load.hpp"
#include "tools/bench/sync/measures.hpp"
#include "tools/bench/sync/options.hpp"

namespace hotpair::bench::sync {

// Told of the run as it goes.
struct Watcher {
  std::function<void()> phase_begins;
  std::function<void(const std::string& phase, double part)> progress;
};

class PrimaryEnd {
 public:
  PrimaryEnd(const Options& options, FrameLink& link, const dpdk::Mac& mac);
  // Runs all phases; the deltas of each are applied when it ends. Empty, or what went wrong.
  std::string run(Instant began, Outcome& result, const Watcher& watcher);
  const dataplane::Engine& engine() const { return engine_; }

 private:
  struct NoSink final : dataplane::SessionSink {
    void on_upsert(const dataplane::SessionView&, bool) override {}
    void on_remove(const dataplane::SessionKey&) override {}
    void on_merge(const dataplane::Session&) override {}
  };

  bool turn(Instant now);
  bool connect(Instant until);
  bool run_phase(const std::string& name, PhaseTimes& phase, const Watcher& watcher);
  std::uint64_t total_of(const std::string& phase) const;
  void feed(const std::string& phase, std::uint64_t count, Instant now);
  struct Drawn {
    std::uint32_t place;   // in live_
    std::uint8_t percent;  // which kind it becomes in the phase mix
  };
  struct Living {
    std::uint32_t number;
    std::uint32_t version;
  };
  void draw(const std::string& phase, std::size_t count);
  void one(const std::string& phase, Drawn drawn);
  void add(std::uint32_t number, std::uint32_t version);
  void remove_live(std::size_t place);
  void flush_batch(Instant now);
  void receive(Instant now);
  void transmit(Instant now);
  void sample(Instant now);
  std::uint64_t allowed_by(Duration time, std::uint64_t total) const;
  bool proven(Instant until);  // by digests

  const Options& options_;
  Load load_;
  Rng rng_;
  NoSink sink_;
  Envelope envelope_;
  StageTimes idle_{};
  StageClock clock_{idle_};
  dataplane::Engine engine_;
  PhaseTimes* phase_ = nullptr;
  std::vector<dataplane::SessionView> batch_;
  std::vector<dataplane::Session> wholes_;  // that some of the batch point to
  std::vector<dataplane::SessionKey> ends_;
  std::vector<Drawn> drawn_;
  std::vector<Living> live_;  // the sessions there are, in any order
  std::uint32_t next_number_ = 0, probes_ = 0;
  Instant began_{}, sampled_at_{};
  std::uint64_t sampled_fed_ = 0, fed_in_all_ = 0;
  std::vector<Sample>* series_ = nullptr;
};

}  // namespace hotpair::bench::sync
