// The kernel's conntrack table as a source: its events as they happen, and dumps of the whole.
// Non-blocking; drive it when event_fd() is readable and while dumping(). Only the primary opens
// one. One thread.
//
// Events and dump records travel over two sockets, so a record may be older than an event that was
// already told. The source keeps the order: of a session that had an event since the kernel wrote a
// record, the record is left out.
#pragma once

#include <cstdint>
#include <memory>

#include "dataplane/core/pickup_filter.hpp"
#include "dataplane/core/session.hpp"
#include "platform/base/result.hpp"

namespace hotpair::conntrack {

// Called while parsing, in the order of the kernel; must not call back into the source.
//
// An event says what changed. A TCP, SCTP or DCCP session without a state comes from one that did
// not say, and so do extras that are missing: what is known of them still holds (keep_untold). A
// dump's entry is whole, with what the session's helper expects; but for the state and the timeout
// of what a flowtable forwards.
class SourceVisitor {
 public:
  virtual ~SourceVisitor() = default;
  virtual void on_upsert(const dataplane::Session& session) = 0;  // changed
  // New: it has nothing but what is said here, whatever was known under its key.
  virtual void on_begin(const dataplane::Session& session) { on_upsert(session); }
  virtual void on_destroy(const dataplane::SessionKey& key) = 0;
  // A helper expects something, or no longer does: it came, or was given up.
  virtual void on_expectation(const dataplane::SessionKey& master,
                              const dataplane::Expectation& expectation, bool gone) = 0;
  virtual void on_dump_entry(
      const dataplane::Session& session) = 0;    // timeout_s: what remains of it
  virtual void on_dump_done(bool complete) = 0;  // false: interrupted, ask again
  virtual void on_overrun() = 0;                 // events were lost (ENOBUFS)
};

struct SourceCounters {
  std::uint64_t events = 0, overruns = 0, malformed = 0, unsupported = 0, dumped = 0, dumps = 0;
};

struct SourceOptions {
  int receive_buffer_bytes = 64 << 20;  // SO_RCVBUFFORCE; what the kernel granted is checked
};

class Source {
 public:
  static Result<std::unique_ptr<Source>> open(const SourceOptions& options);
  virtual ~Source() = default;

  virtual int event_fd() const = 0;
  virtual int receive_buffer_bytes() const = 0;  // as granted for events
  // From now on what these options do not carry is dropped in the kernel, as far as that can be
  // (event_filter); without, all is told. An error leaves the events as they were.
  virtual Status set_pickup(const dataplane::PickupOptions& options) = 0;
  virtual Status subscribe() = 0;   // events flow from now on
  virtual void unsubscribe() = 0;   // and what waits is dropped
  virtual Status start_dump() = 0;  // one at a time
  virtual void stop_dump() = 0;     // without on_dump_done
  virtual bool dumping() const = 0;
  // Reads and parses at most about `max_messages` events (then dump records); true when more may
  // wait.
  virtual bool poll_events(SourceVisitor& visitor, int max_messages) = 0;
  // Every event that the kernel had raised when the last poll_events() ended was told.
  virtual bool caught_up() const = 0;
  virtual bool poll_dump(SourceVisitor& visitor, int max_messages) = 0;
  virtual const SourceCounters& counters() const = 0;
};

// One ctnetlink message (nlmsghdr on) parsed in place; the seam for tests and fuzzing. What is of
// the other kind is `ignored`.
enum class ParsedKind : std::uint8_t { ignored, upsert, destroy, malformed, unsupported };
ParsedKind parse_message(const void* nlmsg, std::size_t size, dataplane::Session& out);
// The kernel does not tell an expectation's zone: the master is taken to be in the default zone.
ParsedKind parse_expectation(const void* nlmsg, std::size_t size, dataplane::SessionKey& master,
                             dataplane::Expectation& out);

}  // namespace hotpair::conntrack
