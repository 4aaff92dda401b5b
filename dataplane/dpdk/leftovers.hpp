// What an earlier run left in the backup's kernel. A process that starts has an empty table; its
// kernel may still hold sessions that ended while nobody looked, some with days to live. Once the
// backup is in sync, what its kernel has and the primary does not is removed: once in each term as
// backup.
//
// Kept is whatever is not replicated (session_pickup says so) or begins or ends at this box itself.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "dataplane/conntrack/sink.hpp"
#include "dataplane/conntrack/source.hpp"
#include "dataplane/core/engine.hpp"
#include "dataplane/core/pickup_filter.hpp"
#include "platform/base/log.hpp"

namespace hotpair::dpdk {

class Leftovers final : private conntrack::SourceVisitor {
 public:
  // The source must not be in use by others while this node is backup.
  Leftovers(conntrack::Source& source, conntrack::Sink& sink, const dataplane::Engine& engine,
            Log log)
      : source_(source), sink_(sink), engine_(engine), log_(std::move(log)) {}

  void set_pickup(const dataplane::PickupOptions& pickup) { pickup_ = pickup; }
  void begin_term() { stage_ = Stage::waiting; }
  void end_term();
  // Call each turn of a backup; `in_sync` as it is now. A bounded slice, none while the engine
  // rewrites the kernel's entries.
  void work(bool in_sync, Instant now);
  std::optional<Instant> next_deadline() const;  // while it looks
  std::uint64_t removed() const { return removed_; }

 private:
  enum class Stage : std::uint8_t { done, waiting, looking };
  void on_upsert(const dataplane::Session&) override {}
  void on_destroy(const dataplane::SessionKey&) override {}
  void on_expectation(const dataplane::SessionKey&, const dataplane::Expectation&, bool) override {}
  void on_dump_entry(const dataplane::Session& session) override;
  void on_dump_done(bool complete) override;
  void on_overrun() override {}
  bool is_own(const dataplane::Session& session) const;

  conntrack::Source& source_;
  conntrack::Sink& sink_;
  const dataplane::Engine& engine_;
  Log log_;
  dataplane::PickupOptions pickup_;
  Stage stage_ = Stage::done;
  Instant next_slice_{};
  struct LocalAddress {
    bool ipv6 = false;
    dataplane::Address address;
  };
  std::vector<LocalAddress> local_;
  std::uint64_t removed_ = 0, removed_before_ = 0;
};

}  // namespace hotpair::dpdk
