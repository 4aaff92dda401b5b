// The primary's way from the kernel to the engine: events as they come, and dumps that reconcile.
// Only while it is subscribed.
#pragma once

#include <optional>

#include "dataplane/conntrack/source.hpp"
#include "dataplane/core/engine.hpp"
#include "dataplane/dpdk/counters.hpp"
#include "platform/base/log.hpp"

namespace hotpair::dpdk {

class KernelReader final : private conntrack::SourceVisitor {
 public:
  KernelReader(conntrack::Source& source, dataplane::Engine& engine, Counters& counters, Log log);

  // `known`: what the kernel holds is in the engine already (the backup wrote it), so the dump that
  // makes sure can wait until the takeover is over: it holds a CPU that packets need now, and that
  // of a nearly empty table with very many buckets for so long that a box with few CPUs is taken to
  // stand still.
  Status subscribe(Instant now, bool known);
  // A dump was read to its end once. A backup's kernel follows its engine, even if with nothing.
  bool compared() const { return compared_; }
  void unsubscribe();
  // What is not to be replicated is not even read, as far as the kernel can tell.
  void set_pickup(const dataplane::PickupOptions& options);
  bool subscribed() const { return subscribed_; }
  int event_fd() const { return source_.event_fd(); }

  // Reads a bounded number of events, then, when none wait, of dump records. True when more may
  // wait.
  bool poll(Instant now);
  // No event waited at the last poll: what the engine knows is what the kernel is.
  bool caught_up() const { return caught_up_; }
  std::optional<Instant> next_deadline() const;
  const conntrack::SourceCounters& counters() const { return source_.counters(); }

 private:
  void on_upsert(const dataplane::Session& session) override;
  void on_begin(const dataplane::Session& session) override;
  void on_destroy(const dataplane::SessionKey& key) override;
  void on_expectation(const dataplane::SessionKey& master,
                      const dataplane::Expectation& expectation, bool gone) override;
  void on_dump_entry(const dataplane::Session& session) override;
  void on_dump_done(bool complete) override;
  void on_overrun() override;
  void begin_dump();
  void note_slice();

  conntrack::Source& source_;
  dataplane::Engine& engine_;
  Counters& counters_;
  Log log_;
  bool subscribed_ = false, caught_up_ = true;
  bool lost_in_dump_ = false;  // events, of which the running dump may have passed the place
  bool hurried_ = false;       // the pair waits for the dump: its table is not known yet
  bool compared_ = false;
  Duration held_up_{};     // CPU time of one slice of the last dump, at most
  Instant now_{};          // of the poll that is running
  Duration cpu_before_{};  // that slice
  Instant dump_began_{}, next_dump_{}, no_dump_before_{}, next_slice_{};
};

}  // namespace hotpair::dpdk
