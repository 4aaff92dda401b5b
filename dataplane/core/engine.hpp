// The replication engine of one node: the session table, and the sender or the receiver that works
// on it. Pure: time comes in with each call, frames go in and out as plaintext bodies (the shell
// seals them), the kernel is told through a SessionSink. One thread. Memory is bounded by
// EngineConfig whatever the load and however slow the peer; nothing is allocated per session change
// once the table has reached its size.
//
// The shell's loop:  events -> upsert/destroy;  received bodies -> on_frame;  work();
//                    while (next_frame(now, buffer) > 0) seal and send;  sleep until
//                    next_deadline().
// A role change keeps the table: a promoted backup's sessions are the primary's from then on.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/core/control.hpp"
#include "dataplane/core/counters.hpp"
#include "dataplane/core/delta_receiver.hpp"
#include "dataplane/core/delta_sender.hpp"
#include "dataplane/core/early_expectations.hpp"
#include "dataplane/core/in_turn.hpp"
#include "dataplane/core/inherited.hpp"
#include "dataplane/core/key_set.hpp"
#include "dataplane/core/pickup_filter.hpp"
#include "dataplane/core/session_sink.hpp"
#include "dataplane/core/session_table.hpp"
#include "platform/base/bytes.hpp"
#include "platform/base/rng.hpp"
#include "platform/base/time.hpp"

namespace hotpair::dataplane {

using control::Role;

// What a session that refresh() hands out needs of the kernel.
enum class Renewal : std::uint8_t {
  none,
  hold,      // backup: its hold timeout again
  rewrite,   // backup that was primary: state and hold timeout; traffic left its own there
  hand_back  // primary that was backup: its true timeout
};

struct EngineConfig {
  std::uint32_t max_sessions = 1u << 20;  // live sessions; see SessionTable for the bytes of each
  std::uint64_t seed = 0;  // from the system's randomness: hash key and instance numbers
  PickupOptions pickup;
  Duration closing_hold = 50ms;   // see DeltaSender::set_closing_hold()
  MemoryAdvice advise = nullptr;  // told of the table's large arrays
};

struct EngineStatus {
  Role role = Role::idle;
  std::uint64_t epoch = 0;
  std::uint64_t newest_epoch_heard =
      0;                    // larger than epoch on a primary: another primary took over
  bool in_sync = false;     // primary: proven now; backup: the primary's word, 2 s fresh
  bool peer_heard = false;  // an accepted frame of the peer within two seconds
  bool bulk_running = false;
  std::uint64_t sessions = 0;
  std::uint64_t peer_sessions = 0;  // as the peer last said
  std::uint64_t lag_sessions = 0;   // primary: changes not yet acknowledged
  Duration lag{};                   // primary: age of the oldest of them
  Duration round_trip{};
  VerifyReport verify;  // primary: the last complete digest comparison
};

class Engine {
 public:
  Engine(const EngineConfig& config, SessionSink& sink, Instant now);

  void set_role(Role role, std::uint64_t epoch, Instant now);
  void set_pickup(const PickupOptions& options);  // asks for a dump, which applies it to the table

  // What the kernel reported; the primary's only (ignored in other roles). An event says what
  // changed: see keep_untold().
  void upsert(const Session& session, Instant now) { upsert(std::span(&session, 1), now); }
  void destroy(const SessionKey& key, Instant now) { destroy(std::span(&key, 1), now); }
  // The same for many at once, in order: the memory of those that follow is fetched meanwhile. Of
  // who has them in the table's form already, least is asked.
  void upsert(std::span<const Session> sessions, Instant now);
  void upsert(std::span<const SessionView> normalised, Instant now);
  // An event of a session that begins. One known under its key has ended, and nobody said so.
  void begin(const Session& session, Instant now);
  void destroy(std::span<const SessionKey> keys, Instant now);
  // The helper of the session `master` expects something, or no longer does.
  void expectation(const SessionKey& master, const Expectation& expectation, bool gone,
                   Instant now);

  // A kernel dump, while events go on: begin, each entry, end. What an event said since begin_dump
  // stands; the dump says the rest. Sessions that neither named are removed afterwards, a bounded
  // number per work(). An incomplete dump removes nothing. A dump's timeouts are ignored where
  // nothing else differs: they are what is left, not what the session's state is given.
  void begin_dump();
  void dump_entry(const Session& session, Instant now);
  void end_dump(bool complete);
  bool dump_wanted() const {
    return dump_wanted_;
  }  // set at takeover, overflow, set_pickup; cleared by begin

  void on_frame(Bytes body, Instant now);
  // Writes the next frame's body into `buffer` (kMinFrame bytes at least, kMaxFrame is best) and
  // returns its size; 0 when nothing is to be sent now. Call until 0.
  std::size_t next_frame(Instant now, MutableBytes buffer);
  // Bounded background work: sweeps, repairs, scrubbing, timeouts. Call once a loop.
  void work(Instant now);
  // When next_frame() or work() may have something to do; in the past: at once.
  std::optional<Instant> next_deadline(Instant now) const;

  // Frames the shell is ready to take in without an acknowledgement; 0 stops the peer. Backup.
  void set_receive_credit(std::uint16_t frames) { receiver_.set_credit(frames); }
  // What is kept back goes out at once. Primary.
  void begin_drain(Instant now);
  // True when every change made before `since` is acknowledged. Primary; true without a peer or
  // session.
  bool drained(Instant since, Instant now) const;
  // Starts a digest comparison at once; done when status().verify.round has risen. Primary.
  void request_verify() { sender_.request_verify(); }

  // The kernel's entries are gone over by the table's slots, at a pace that leaves the CPU to the
  // traffic: a role change must not be followed by a burst of work on the node that now carries it.
  // Hands out the sessions that are due, at most `max` a call; returns how many.
  template <typename Visit>
  std::size_t refresh(Instant now, std::size_t max, Visit&& visit);
  Renewal renewal() const { return round_.what; }
  // Visits up to `max` sessions from `cursor` (0: the first); returns the next cursor, nullopt at
  // the end.
  template <typename Visit>
  std::optional<std::uint32_t> list(std::uint32_t cursor, std::size_t max, Visit&& visit) const;
  std::optional<Session> find(const SessionKey& key) const;

  EngineStatus status(Instant now) const;
  const Counters& counters() const { return counters_; }
  Role role() const { return role_; }
  // Backup: sessions of its own time as the primary wait for the primary to take them.
  bool offering() const { return role_ == Role::backup && receiver_.offering(); }
  const SessionTable& table() const { return table_; }
  SessionTable& table_for_test() { return table_; }
  std::size_t memory() const { return table_.memory() + sender_.memory(); }  // that sessions take

  static constexpr Duration kRefreshPeriod = 240s;             // of holding
  static constexpr Duration kHandBackTime = 30s;               // at least
  static constexpr std::uint32_t kRenewalsPerSecond = 50'000;  // of a large table; 0.2 of a core
  static constexpr std::uint32_t kRenewedTogether = 64;        // a system call for each session
                                                               // would cost more than the renewal
  static constexpr std::size_t kSlotsPerWork = 4096;           // bounds the time of one work()
  // A pass over the table's digests: every 1.2 s up to a million slots, at which it takes some 1 %
  // of a core; it takes no more of larger tables, and so longer.
  static constexpr Duration kScrubStep = 50ms;
  static constexpr std::uint32_t kScrubSteps = 24;
  static constexpr std::uint32_t kMostScrubbedAStep = 43'700;

 private:
  // Where a reported session is to be found.
  struct Place {
    std::uint64_t hash = 0;
    std::uint32_t candidate = SessionTable::kNone;  // where it probably is
  };
  static constexpr std::size_t kGroup = 256;
  static constexpr std::size_t kPlaces = 128;  // of those under way, by their number modulo this
  static_assert(kUnderWay <= kPlaces);

  SessionView view_of(const Session& reported);
  template <typename Work>
  void locate_each(std::span<const SessionView> sessions, Work&& work);
  Place place_of(const SessionView& session) const { return {.hash = table_.hash(session)}; }
  std::uint32_t find(const SessionView& session, const Place& place) const {
    const std::uint32_t id = place.candidate;
    if (id != SessionTable::kNone && table_.holds(id, session)) return id;
    return table_.find(session, place.hash);
  }
  bool admit(const Session& session);
  bool admit(const SessionView& session) {
    return (session.whole == nullptr && plainly_carried(pickup_, session.compact)) ||
           admit(expanded(session));
  }
  bool tells_all(const SessionView& report, std::uint32_t known) const;
  void complete(std::uint32_t known, Session& reported, Instant now);
  void upsert_incomplete(const SessionView& reported, std::uint64_t hash, std::uint32_t known,
                         Instant now);
  void upsert_found(const SessionView& reported, const Place& place, Instant now);
  void upsert_judged(const SessionView& session, std::uint64_t hash, std::uint32_t known,
                     Instant now);
  void upsert_admitted(const SessionView& session, std::uint64_t hash, std::uint32_t known,
                       Instant now);
  void upsert_admitted(const Session& session, std::uint32_t known, Instant now) {
    const SessionView view(session);
    upsert_admitted(view, table_.hash(view), known, now);
  }
  void destroy_found(const SessionView& session, const Place& place, Instant now);
  void note_untold(const SessionKey& key, std::uint32_t known, Untold untold);
  void correct(std::uint32_t known, const Session& entry, Instant now);
  void begin_round(Renewal what, Instant now);
  std::uint32_t refresh_target(Instant now);
  void overflow(bool happened);
  bool take_offers(const FrameHeader& header, ByteReader& in);
  void take_offer(const Session& session);
  void reconcile(Instant now);
  void scrub(Instant now);

  Counters counters_;
  SessionSink& sink_;
  Rng rng_;
  SessionTable table_;
  DeltaSender sender_;
  DeltaReceiver receiver_;
  PickupOptions pickup_;
  EarlyExpectations early_;
  Role role_ = Role::idle;
  std::uint64_t epoch_ = 0;
  std::uint64_t newest_epoch_heard_ = 0;

  bool dump_wanted_ = false, dumping_ = false;
  std::uint8_t dump_mark_ = 0;
  KeySet ended_in_dump_;
  Inherited inherited_in_dump_;
  std::optional<std::uint32_t> reconcile_at_;  // slot to look at next, after a complete dump

  // One round over the slots below `end`, spread over `time`.
  struct Round {
    Renewal what = Renewal::none;
    std::uint32_t at = 0, end = 0;
    Instant began_at;
    Duration time{};
  };
  Round round_;

  std::array<Place, kPlaces> places_;
  std::vector<SessionView> group_;
  std::vector<Session> wholes_;  // never more than its capacity, since the group points into it
  std::uint32_t scrub_at_ = 0, scrub_left_ = 0;  // slot to look at next; of the step
  Instant scrub_due_at_;
};

template <typename Visit>
std::size_t Engine::refresh(Instant now, std::size_t max, Visit&& visit) {
  std::size_t handed = 0;
  const std::uint32_t target = refresh_target(now);
  for (std::size_t looked = 0; round_.at < target && handed < max && looked < kSlotsPerWork;
       ++looked) {
    const Slot& slot = table_.slot(round_.at++);
    if (!slot.live()) continue;
    visit(table_.session(round_.at - 1));
    ++handed;
  }
  return handed;
}

template <typename Visit>
std::optional<std::uint32_t> Engine::list(std::uint32_t cursor, std::size_t max,
                                          Visit&& visit) const {
  for (; cursor < table_.high_water() && max > 0; ++cursor) {
    if (!table_.slot(cursor).live()) continue;
    visit(table_.session(cursor));
    --max;
  }
  if (cursor >= table_.high_water()) return std::nullopt;
  return cursor;
}

}  // namespace hotpair::dataplane
