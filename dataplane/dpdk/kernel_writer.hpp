// The backup's way from the engine to the kernel: what the engine's table says is written at once,
// kept alive with a hold timeout, and, after a takeover, given its true timeout back. Keeps account
// of what the kernel refused, so that a table that is not wholly in the kernel is never called in
// sync.
#pragma once

#include <deque>
#include <vector>

#include "dataplane/conntrack/sink.hpp"
#include "dataplane/core/engine.hpp"
#include "dataplane/dpdk/counters.hpp"
#include "platform/base/log.hpp"

namespace hotpair::dpdk {

class KernelWriter final : public dataplane::SessionSink {
 public:
  KernelWriter(conntrack::Sink& sink, Counters& counters, Log log);
  // The engine whose sink this is; before anything else is called.
  void attach(dataplane::Engine& engine) { engine_ = &engine; }

  void on_upsert(const dataplane::SessionView& session, bool is_new) override;
  void on_remove(const dataplane::SessionKey& key) override;
  void on_merge(const dataplane::Session& session) override;

  void flush();  // everything queued is in the kernel, or accounted for
  // Backup: renews hold timeouts and repeats what failed. Primary: hands true timeouts back. A
  // bounded slice; true when there was something to do.
  bool work(Instant now);
  void drop_repeats();  // of another role's time
  // False while the kernel lacks something of the engine's table.
  bool complete(Instant now) const { return refused_.empty() && now >= overflow_until_; }
  const conntrack::SinkCounters& counters() const { return sink_.counters(); }

  // Longer than a backup goes between two renewals, so no entry dies while this process lives;
  // short enough that what is left behind by one that died goes away by itself.
  static constexpr std::uint32_t kHoldSeconds = 600;
  static_assert(dataplane::Engine::kRefreshPeriod * 2 < std::chrono::seconds(kHoldSeconds));

 private:
  void renew(const dataplane::Session& session);
  bool repeat_failed(Instant now);

  conntrack::Sink& sink_;
  dataplane::Engine* engine_ = nullptr;
  Counters& counters_;
  Log log_;
  std::vector<dataplane::SessionKey>
      missing_;  // found gone by a renewal; written again in the same slice
  std::deque<dataplane::SessionKey> refused_;  // bounded; beyond it the renewals find them
  std::vector<dataplane::SessionKey> repeating_;
  Instant repeat_at_{}, overflow_until_{};
  bool overflow_ = false;
};

}  // namespace hotpair::dpdk
