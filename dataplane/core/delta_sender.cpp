// The list of what is to be sent, and streams. What is not to be sent yet:
// delta_sender_kept_back.cpp; frames: delta_sender_frames.cpp; repair: delta_sender_repair.cpp.
#include "dataplane/core/delta_sender.hpp"

#include <algorithm>

#include "dataplane/core/coarse_time.hpp"
#include "dataplane/core/sender_flags.hpp"
#include "dataplane/core/session_key.hpp"
#include "platform/base/assert.hpp"

namespace hotpair::dataplane {

using namespace sender_flags;

namespace {

constexpr std::uint8_t kPackedAssured = 0x40;  // packed_status(kStatusAssured)

}  // namespace

DeltaSender::DeltaSender(SessionTable& table, Counters& counters)
    : table_(table), counters_(counters) {}

void DeltaSender::start(std::uint64_t epoch, std::uint32_t instance, Instant now) {
  HOTPAIR_ASSERT(instance != 0);
  instance_ = instance;
  epoch_ = epoch;
  peer_ = 0;
  peer_sessions_ = 0;
  newest_ack_ = 0;
  probe_at_ = now;
  abandon_stream();
}

void DeltaSender::make_dirty(std::uint32_t id, Instant now) {
  make_dirty(table_.slot(id), id, now);
}

std::uint32_t DeltaSender::upsert_known(const SessionView& session, std::uint32_t id, Instant now) {
  Slot& slot = table_.slot(id);
  if (table_.same_state(id, session)) {
    ++counters_.events_unchanged;
    return id;
  }
  const bool create_needed = session.whole == nullptr ||
                             !same_rarely_changing(table_.session(id).state, session.whole->state);
  table_.set_state(id, session);
  if (!connected_) return id;
  if (!adopted(slot)) {
    adopt(slot, kBulk);
    --bulk_unsent_;
  }
  if (create_needed) slot.flags = static_cast<std::uint8_t>((slot.flags | kRetold) & ~kKnown);
  changed(slot, id, now);
  return id;
}

std::uint32_t DeltaSender::begin_session(const SessionView& session, std::uint64_t hash,
                                         Instant now) {
  std::uint32_t id = table_.find_ended(session, hash);
  if (connected_ && id != SessionTable::kNone && table_.revive(id)) {
    take_up_again(id, session);
    return id;
  }
  id = table_.insert(session, hash);
  if (id == SessionTable::kNone && (session.compact.status_and_state & kPackedAssured) != 0 &&
      make_room(now))
    id = table_.insert(session, hash);
  if (id == SessionTable::kNone) {
    ++counters_.table_full;
    return id;
  }
  Slot& slot = table_.slot(id);
  slot.set_born(true);
  if (!connected_) return id;
  adopt(slot, 0);
  if (delay_ <= Duration{0} || delayed_.size() >= table_.capacity()) {
    make_dirty(id, now);
  } else {
    slot.flags |= kKeptBack;
    slot.frame = coarse(now);  // until it is sent: tells its entry from one of an earlier session
    delayed_.push(id, slot.frame);
  }
  return id;
}

// It ended and began anew before the backup was told: it never ended, for the backup. Were it to go
// under another id, that create could come before this end.
void DeltaSender::take_up_again(std::uint32_t id, const SessionView& session) {
  Slot& slot = table_.slot(id);
  table_.set_state(id, session);
  slot.set_born(true);
  slot.flags = static_cast<std::uint8_t>((slot.flags | kRetold) & ~kKnown);
  ++counters_.coalesced;
}

// The table is full and a session comes that must survive: one that is not assured gives way. Those
// that are assured always stay. False when the next slots hold no other.
bool DeltaSender::make_room(Instant now) {
  for (std::uint32_t looks = std::min(kLooksForRoom, table_.high_water()); looks > 0; --looks) {
    if (room_at_ >= table_.high_water()) room_at_ = 0;
    const std::uint32_t id = room_at_++;
    const Slot& slot = table_.slot(id);
    if (!slot.live() || (slot.session.status_and_state & kPackedAssured) != 0) continue;
    ++counters_.table_full_gave_way;
    remove(id, now);
    return true;
  }
  return false;
}

void DeltaSender::remove(std::uint32_t id, Instant now) {
  Slot& slot = table_.slot(id);
  HOTPAIR_ASSERT(slot.live());
  if (!connected_) return table_.erase(id);
  if (!adopted(slot)) {
    --bulk_unsent_;
    --bulk_pending_;
    return table_.erase(id);  // what the backup may have of it, the sweep after the bulk removes
  }
  drop_duties(slot);
  if (slot.digest == 0) {  // never sent
    clean(slot);
    ++counters_.never_sent;
    table_.erase(id);
    return trim();
  }
  table_.bury(id);
  make_dirty(id, now);
}

// Takes the slot into the present stream.
void DeltaSender::adopt(Slot& slot, std::uint8_t flags) {
  const unsigned queued = adopted(slot) ? slot.flags & kQueued : 0u;
  slot.generation = table_.generation();
  slot.flags = static_cast<std::uint8_t>(flags | queued);
  slot.digest = 0;
  slot.frame = 0;
}

// After a loss: at once, since digests cannot be compared until it is told anew. `since` is the age
// of what was lost.
void DeltaSender::put_back(std::uint32_t id, std::uint32_t since) {
  Slot& slot = table_.slot(id);
  if (!(slot.flags & kDirty)) ++dirty_;
  slot.flags |= kDirty;
  if (slot.flags & kLost) return;
  ++lost_waiting_;
  slot.flags |= kLost;
  lost_.push(id, since);
}

// It need not be sent (any more).
void DeltaSender::clean(Slot& slot) {
  if (slot.flags & kDirty) --dirty_;
  if (slot.flags & kLost) --lost_waiting_;
  slot.flags = static_cast<std::uint8_t>(slot.flags & ~(kDirty | kLost | kKeptBack));
}

// Takes what is not valid any more from the fronts of the lists.
void DeltaSender::trim() {
  while (!lost_.empty() && !(table_.slot(lost_.front().id).flags & kLost)) lost_.pop();
  while (!fresh_.empty()) {
    Slot& slot = table_.slot(fresh_.front().id);
    if (slot.flags & kDirty) return;
    slot.flags = static_cast<std::uint8_t>(slot.flags & ~kQueued);
    fresh_.pop();
  }
}

// The session ended, or was told: neither bulk nor repair waits for it any more.
void DeltaSender::drop_duties(Slot& slot) {
  if (slot.flags & kBulk) --bulk_pending_;
  if (slot.flags & kRepair) --repair_pending_;
  slot.flags = static_cast<std::uint8_t>(slot.flags & ~(kBulk | kRepair));
}

void DeltaSender::begin_stream(std::uint32_t peer, Instant now) {
  abandon_stream();
  if (peer != peer_ && peer_ != 0) retired_peers_.add(peer_);
  peer_ = peer;
  connected_ = true;
  ++stream_;
  newest_ack_ = 0;
  stream_begin_ = flight_.next_sequence();
  stream_began_at_ = now;
  bulk_at_ = 0;
  bulk_end_ = table_.high_water();
  bulk_unsent_ = bulk_pending_ = table_.size();
  bulk_sweep_flying_ = bulk_finished_ = false;
  audit_.restart(now);
  ++counters_.bulk_started;
}

// Forgets what the peer was told: all notes in the slots are void at once.
void DeltaSender::abandon_stream() {
  table_.begin_generation();
  connected_ = false;
  flight_.forget();
  fresh_.clear();
  lost_.clear();
  delayed_.clear();
  closing_.clear();
  sent_.clear();
  dirty_ = 0;
  lost_waiting_ = bulk_unsent_ = bulk_pending_ = 0;
  bulk_at_ = bulk_end_ = 0;
  bulk_sweep_flying_ = bulk_finished_ = false;
  reclaim_at_ = 0;
  repair_ = Repair::none;
  sweeps_flying_ = repair_pending_ = 0;
  sweeps_due_.reset();
}

void DeltaSender::on_peer(const FrameHeader& header, Instant now) {
  if (retired_peers_.has(header.sender)) {
    ++counters_.rejected_old_stream;
    return;
  }
  peer_heard_at_ = now;
  if (!connected_ || header.sender != peer_) begin_stream(header.sender, now);
}

bool DeltaSender::of_this_stream(const FrameHeader& header) const {
  return connected_ && header.sender == peer_ && header.receiver == instance_ &&
         header.stream == stream_ && header.epoch == epoch_;
}

// Tombstones of earlier streams await an acknowledgement that will not come.
void DeltaSender::reclaim(std::size_t max_slots) {
  const std::uint32_t end = table_.high_water();
  for (; reclaim_at_ < end && table_.tombstones() > 0 && max_slots > 0;
       ++reclaim_at_, --max_slots) {
    const Slot& slot = table_.slot(reclaim_at_);
    if (slot.tombstone() && slot.generation != table_.generation()) table_.release(reclaim_at_);
  }
}

void DeltaSender::work(Instant now, std::size_t max_slots) {
  if (connected_ && now - peer_heard_at_ > kPeerSilence) {
    ++counters_.peer_lost;
    abandon_stream();
  }
  reclaim(max_slots);
  if (!connected_) return;
  release_delayed(now);
  release_closing(now, closing_hold_);
  flight_.on_time(now, [&](const FlightFrame& frame) { on_lost(frame); });
  if (repair_ == Repair::marking) mark_for_repair(now, max_slots);
  advance_repair(now);
}

bool DeltaSender::in_sync(Instant now) const {
  return connected_ && bulk_finished_ && !incomplete_ && repair_ == Repair::none &&
         audit_.fresh(now) && now - peer_heard_at_ <= kPeerSilence && lag(now) <= kMostLagInSync;
}

std::uint64_t DeltaSender::lag_sessions() const {
  return connected_ ? dirty_ + flight_.records_flying() + bulk_unsent_ : table_.size();
}

Duration DeltaSender::lag(Instant now) const {
  if (!connected_) return Duration{0};
  Duration oldest{0};
  if (bulk_pending_ > 0) oldest = now - stream_began_at_;
  for (const IdQueue* list : {&lost_, &fresh_})
    if (!list->empty()) oldest = std::max(oldest, coarse_age(list->front().since, now));
  if (const FlightFrame* frame = flight_.oldest_frame(); frame != nullptr && frame->count > 0)
    oldest = std::max(oldest, coarse_age(frame->since, now));
  return oldest;
}

bool DeltaSender::settled_since(Instant since, Instant now) const {
  if (!connected_) return true;
  if (bulk_pending_ > 0) return false;
  const Duration age = now - since - kCoarseStep;
  for (const IdQueue* list : {&lost_, &fresh_, &closing_})
    if (!list->empty() && coarse_age(list->front().since, now) >= age) return false;
  for (std::uint64_t s = flight_.oldest(); s < flight_.next_sequence(); ++s) {
    const FlightFrame* frame = flight_.remembered(s);
    if (frame != nullptr && frame->state == FlightFrame::State::flying && frame->count > 0 &&
        coarse_age(frame->since, now) >= age)
      return false;
  }
  return true;
}

}  // namespace hotpair::dataplane
