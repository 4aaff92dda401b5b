// The backup's end of the measurement: an engine that takes what comes. One thread, but for what is
// said to be another's.
#pragma once

#include <atomic>
#include <vector>

#include "dataplane/core/engine.hpp"
#include "tools/bench/sync/envelope.hpp"
#include "tools/bench/sync/load.hpp"
#include "tools/bench/sync/measures.hpp"
#include "tools/bench/sync/options.hpp"

namespace hotpair::bench::sync {

class BackupEnd {
 public:
  struct Phase {
    StageTimes stages{};
    Latencies latencies;
    std::uint64_t applied = 0;
  };

  BackupEnd(const Options& options, FrameLink& link, const dpdk::Mac& mac);
  // Until `stop`; without another thread to say so, until the primary has fallen silent.
  void run(Instant began, const std::atomic<bool>* stop);
  void next_phase() { wanted_phase_.fetch_add(1); }  // any thread

  // After run() has returned.
  const dataplane::Engine& engine() const { return engine_; }
  const std::vector<Phase>& phases() const { return phases_; }
  double bytes_a_session() const { return bytes_a_session_; }  // at the most sessions
  const std::vector<Sample>& series() const { return series_; }

 private:
  class ProbeSink final : public dataplane::SessionSink {
   public:
    explicit ProbeSink(BackupEnd& end) : end_(end) {}
    void on_upsert(const dataplane::SessionView& session, bool) override;
    void on_remove(const dataplane::SessionKey&) override {}
    void on_merge(const dataplane::Session&) override {}

   private:
    BackupEnd& end_;
  };

  std::size_t receive(Instant now);
  void transmit(Instant now);
  Duration decoding_time(Bytes body);
  void look_up_phase();
  std::uint64_t applied() const;
  void sample(Instant now);

  Instant end_at_;
  ProbeSink sink_{*this};
  Envelope envelope_;
  std::vector<Phase> phases_;
  StageTimes idle_{};
  StageClock clock_{idle_};
  dataplane::Engine engine_;
  std::atomic<std::uint32_t> wanted_phase_{0};
  std::uint64_t most_sessions_ = 0;
  double bytes_a_session_ = 0;
  std::uint64_t applied_before_ = 0, sampled_ = 0;
  std::uint32_t frames_ = 0;
  Latencies interval_;
  std::vector<Sample> series_;
  Instant began_{}, sampled_at_{};
};

}  // namespace hotpair::bench::sync
