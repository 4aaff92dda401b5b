// The primary's half of the replication: keeps each changed session once on a list of what is to be
// sent, makes frames of it, remembers what is under way, and proves by digests that it arrived.
//
// State-based: a frame carries the state sessions have when it is made. What is lost is put back on
// the list; nothing is queued twice; so memory is the table's, however slow the backup. A stream is
// one run through the table for one instance of the backup: it begins with every session to be sent
// (bulk, behind the fresh changes), each as a create until a create was acknowledged, and ends when
// the peer falls silent.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/core/coarse_time.hpp"
#include "dataplane/core/counters.hpp"
#include "dataplane/core/delta_wire.hpp"
#include "dataplane/core/digest.hpp"
#include "dataplane/core/digest_audit.hpp"
#include "dataplane/core/flight.hpp"
#include "dataplane/core/id_queue.hpp"
#include "dataplane/core/retired.hpp"
#include "dataplane/core/sender_flags.hpp"
#include "dataplane/core/session_table.hpp"
#include "platform/base/time.hpp"

namespace hotpair::dataplane {

class DeltaSender {
 public:
  DeltaSender(SessionTable& table, Counters& counters);

  // Becomes the primary's, under a new instance number; no peer is known yet.
  void start(std::uint64_t epoch, std::uint32_t instance, Instant now);
  // Sessions exist that the table has no room for: no verdict can be good.
  void set_incomplete(bool incomplete) { incomplete_ = incomplete; }
  void set_delay(Duration delay) { delay_ = delay; }
  // What a TCP connection goes through while it closes (FIN_WAIT, CLOSE_WAIT, LAST_ACK) is kept
  // back for so long: most reach TIME_WAIT meanwhile, which alone is told then. 0: nothing is kept
  // back.
  void set_closing_hold(Duration hold) { closing_hold_ = hold; }
  void tell_closing(Instant now) { release_closing(now, Duration{0}); }  // of what is kept back

  // The session is new or changed; `id` is where the table has it, or kNone. Returns its id; kNone
  // when the table is full of sessions worth more.
  std::uint32_t upsert(const SessionView& session, std::uint64_t hash, std::uint32_t id,
                       Instant now);
  void remove(std::uint32_t id, Instant now);

  void on_ack(const FrameHeader& header, const Ack& ack, Instant now);
  void on_report(const FrameHeader& header, const Report& report, Instant now);
  bool of_this_stream(const FrameHeader& header) const;
  std::size_t next_frame(Instant now, MutableBytes buffer);
  void work(Instant now, std::size_t max_slots);
  // Compares the slot's content with its digest. True: it is damaged, and only the kernel knows
  // what it was.
  bool scrub(std::uint32_t id, Instant now);
  bool damaged(std::uint32_t id) const;  // as far as digests tell: not while a change waits
  std::optional<Instant> next_deadline(Instant now) const;
  void request_verify() { audit_.request(); }

  bool connected() const { return connected_; }
  bool bulk_running() const { return connected_ && !bulk_finished_; }
  bool in_sync(Instant now) const;
  // True when every change made before `since` is acknowledged, or there is no peer to do it.
  bool settled_since(Instant since, Instant now) const;
  std::uint64_t lag_sessions() const;
  Duration lag(Instant now) const;  // age of the oldest change not yet acknowledged
  Duration round_trip() const { return flight_.round_trip(); }
  std::uint64_t peer_sessions() const { return peer_sessions_; }
  const VerifyReport& verify() const { return audit_.last(); }
  std::size_t memory() const {
    return fresh_.memory() + lost_.memory() + delayed_.memory() + closing_.memory();
  }

  static constexpr Duration kPeerSilence = 2s;
  static constexpr Duration kProbePeriod = 100ms;
  static constexpr Duration kMostLagInSync = 1s;
  static constexpr std::uint32_t kLooksForRoom = 64;  // slots, for one that may give way
  static constexpr Duration kClosingTogether = 5ms;   // later at most, for fewer awakenings

 private:
  enum class Repair : std::uint8_t { none, marking, resending, sweeping };

  // --- the list of what is to be sent
  bool adopted(const Slot& slot) const { return slot.generation == table_.generation(); }
  void adopt(Slot& slot, std::uint8_t flags);
  std::uint32_t begin_session(const SessionView& session, std::uint64_t hash, Instant now);
  bool make_room(Instant now);
  void take_up_again(std::uint32_t id, const SessionView& session);
  std::uint32_t upsert_known(const SessionView& session, std::uint32_t id, Instant now);
  void changed(Slot& slot, std::uint32_t id, Instant now);
  void make_dirty(Slot& slot, std::uint32_t id, Instant now);
  void make_dirty(std::uint32_t id, Instant now);
  void put_back(std::uint32_t id, std::uint32_t since);
  void clean(Slot& slot);
  void trim();
  bool bulk_sweep_due() const;
  bool bucket_sweeps_due() const;
  void drop_duties(Slot& slot);
  void changed_closing(Slot& slot, std::uint32_t id, Instant now);
  void release_delayed(Instant now);
  void release_closing(Instant now, Duration least_age);
  // --- streams
  void begin_stream(std::uint32_t peer, Instant now);
  void abandon_stream();
  void on_peer(const FrameHeader& header, Instant now);
  void reclaim(std::size_t max_slots);
  // --- frames
  std::size_t write_probe(Instant now, MutableBytes buffer);
  std::size_t write_marker(Instant now, MutableBytes buffer);
  std::size_t write_data(Instant now, MutableBytes buffer);
  FrameHeader header(FrameKind kind, std::uint64_t sequence, Instant now) const;
  bool anything_to_send() const;
  bool marker_due(Instant now) const;
  std::uint32_t next_to_send(bool bulk_first);
  const IdQueue::Entry* first_waiting() const;
  std::uint32_t next_bulk();
  void write_sweeps(Instant now, MutableBytes body, std::size_t& at, FlightFrame& frame);
  bool write_session(std::uint32_t id, MutableBytes body, std::size_t& at, FlightFrame& frame);
  bool write_run(MutableBytes body, std::size_t& at, FlightFrame& frame);
  struct Digests {
    std::uint64_t key, session;
  };
  Digests digests_of(std::uint32_t id) const;
  std::size_t write_block(std::span<const IdQueue::Entry> block, MutableBytes body, std::size_t& at,
                          FlightFrame& frame);
  template <RecordKind kind>
  std::size_t write_plain(std::span<const IdQueue::Entry> block, std::span<const Digests> digests,
                          MutableBytes body, std::size_t& at, FlightFrame& frame);
  bool write_fresh(const IdQueue::Entry& entry, const Digests& digests, MutableBytes body,
                   std::size_t& at, FlightFrame& frame);
  void prefetch_slots(std::span<const IdQueue::Entry> block) const;
  void prefetch_ends(std::span<const IdQueue::Entry> block) const;
  std::size_t encode_slot(std::uint32_t id, RecordKind kind, MutableBytes out) const;
  void note_sent(Slot& slot, FlightRecord& record, const Digests& digests, std::uint64_t sequence);
  void count_sent(RecordKind kind, std::uint64_t records);
  // --- settled frames
  void on_received(const FlightFrame& frame);
  void on_received(const FlightRecord& record, std::uint64_t sequence);
  void on_lost(const FlightFrame& frame);
  // --- repair of unequal buckets
  void begin_repair(const BucketSet& buckets);
  void mark_for_repair(Instant now, std::size_t max_slots);
  void advance_repair(Instant now);
  void rebuild_digests();

  SessionTable& table_;
  Counters& counters_;
  std::uint32_t instance_ = 0;
  std::uint64_t epoch_ = 0;
  Duration delay_{}, closing_hold_{};
  bool incomplete_ = false;

  bool connected_ = false;
  std::uint32_t peer_ = 0, stream_ = 0;
  Retired retired_peers_;
  std::uint64_t newest_ack_ = 0, peer_sessions_ = 0;
  Instant peer_heard_at_, sent_at_, probe_at_;

  // What changed, and what was lost and goes before it: one that is not dirty any more is passed
  // over, and the first of each is always valid. What is too young, and what is closing: one that
  // is not kept back any more is passed over.
  IdQueue fresh_, lost_, delayed_, closing_;
  std::uint64_t dirty_ = 0;         // slots
  std::uint32_t lost_waiting_ = 0;  // slots whose last state sent was lost and not sent again yet
  std::uint32_t room_at_ = 0;       // where make_room() goes on
  std::uint32_t bulk_at_ = 0, bulk_end_ = 0;  // slots of the stream's begin still to be looked at
  std::uint32_t bulk_unsent_ = 0, bulk_pending_ = 0;  // sessions not yet sent; not yet acknowledged
  bool bulk_sweep_flying_ = false, bulk_finished_ = false;
  std::uint64_t stream_begin_ = 0;  // first sequence of the stream
  Instant stream_began_at_;
  std::uint32_t reclaim_at_ = 0;
  std::uint32_t frames_since_bulk_ = 0;

  Flight flight_;
  DigestTable sent_;  // of every session as last sent
  DigestAudit audit_;

  Repair repair_ = Repair::none;
  BucketSet repair_buckets_, sweeps_due_;
  std::uint32_t sweeps_flying_ = 0;
  std::uint64_t repair_begin_ = 0;
  std::uint32_t repair_at_ = 0, repair_pending_ = 0;
};

inline void DeltaSender::changed(Slot& slot, std::uint32_t id, Instant now) {
  if (closing_hold_ > Duration{0} && is_closing(slot.session))
    return changed_closing(slot, id, now);
  make_dirty(slot, id, now);
}

// A session on a list stays where it is: the newer state takes the older one's turn. One that was
// kept back for closing goes at once.
inline void DeltaSender::make_dirty(Slot& slot, std::uint32_t id, Instant now) {
  using namespace sender_flags;
  if (slot.flags & (kDirty | kKeptBack)) {
    ++counters_.coalesced;
    if ((slot.flags & kDirty) || slot.digest == 0) return;
    slot.flags = static_cast<std::uint8_t>(slot.flags & ~kKeptBack);
  }
  ++dirty_;
  const bool queued = (slot.flags & kQueued) != 0;
  slot.flags |= kDirty | kQueued;
  if (!queued) fresh_.push(id, coarse(now));
}

inline std::uint32_t DeltaSender::upsert(const SessionView& session, std::uint64_t hash,
                                         std::uint32_t id, Instant now) {
  using namespace sender_flags;
  if (id == SessionTable::kNone) return begin_session(session, hash, now);
  Slot& slot = table_.slot(id);
  const bool alone = session.whole == nullptr && slot.session.form == 0;
  if (!alone || !connected_ || !adopted(slot)) return upsert_known(session, id, now);
  // Most changes: what follows is upsert_known() of them.
  const StateWords state(session.compact);
  if (state == StateWords(slot.session)) {
    ++counters_.events_unchanged;
    return id;
  }
  if (!same_rarely_changing(slot.session, session.compact))
    slot.flags = static_cast<std::uint8_t>((slot.flags | kRetold) & ~kKnown);
  state.put_into(slot.session);
  changed(slot, id, now);
  return id;
}

}  // namespace hotpair::dataplane
