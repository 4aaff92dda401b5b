// The list of what is to be sent, and streams. Frames: delta_sender_frames.cpp; repair:
// delta_sender_repair.cpp.
#include "dataplane/core/delta_sender.hpp"

#include <algorithm>

#include "dataplane/core/coarse_time.hpp"
#include "dataplane/core/sender_flags.hpp"
#include "dataplane/core/session_key.hpp"
#include "platform/base/assert.hpp"

namespace hotpair::dataplane {

using namespace sender_flags;

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

std::uint32_t DeltaSender::upsert(const Session& session, std::uint32_t hash, std::uint32_t id,
                                  Instant now) {
  if (id == SessionTable::kNone) {
    id = table_.insert(session, hash);
    if (id == SessionTable::kNone) {
      ++counters_.table_full;
      return id;
    }
    Slot& slot = table_.slot(id);
    slot.set_born(true);
    if (!connected_) return id;
    adopt(slot, 0);
    if (delay_ <= Duration{0}) {
      make_dirty(id, now);
    } else {
      slot.flags |= kDelayed;
      slot.since = coarse(now);
      delayed_.push_back(table_, id);
    }
    return id;
  }
  Slot& slot = table_.slot(id);
  if (slot.session.state == session.state) {
    ++counters_.events_unchanged;
    return id;
  }
  const bool create_needed = !same_rarely_changing(slot.session.state, session.state);
  slot.session.state = session.state;
  if (!connected_) return id;
  if (slot.generation != table_.generation()) {
    adopt(slot, kBulk);
    --bulk_unsent_;
  }
  if (create_needed) slot.flags = static_cast<std::uint8_t>((slot.flags | kRetold) & ~kKnown);
  make_dirty(id, now);
  return id;
}

void DeltaSender::remove(std::uint32_t id, Instant now) {
  Slot& slot = table_.slot(id);
  HOTPAIR_ASSERT(slot.live());
  if (!connected_) return table_.erase(id);
  if (slot.generation != table_.generation()) {
    --bulk_unsent_;
    --bulk_pending_;
    return table_.erase(id);  // what the backup may have of it, the sweep after the bulk removes
  }
  drop_duties(slot);
  if (slot.digest == 0) {  // never sent
    (slot.flags & kDelayed ? delayed_ : fresh_).unlink(table_, id);
    clear(slot, kDirty | kDelayed);
    ++counters_.never_sent;
    return table_.erase(id);
  }
  table_.bury(id);
  make_dirty(id, now);
}

// Takes the slot into the present stream.
void DeltaSender::adopt(Slot& slot, std::uint8_t flags) {
  slot.generation = table_.generation();
  slot.flags = flags;
  slot.digest = 0;
  slot.wire = 0;
}

// A session on a list stays where it is: the newer state takes the older one's turn.
void DeltaSender::make_dirty(std::uint32_t id, Instant now) {
  Slot& slot = table_.slot(id);
  if (slot.flags & (kDirty | kDelayed)) {
    ++counters_.coalesced;
    return;
  }
  if (!(slot.flags & kFlying)) ++unsettled_;
  slot.flags |= kDirty;
  slot.since = coarse(now);
  fresh_.push_back(table_, id);
}

// After a loss: at once, since digests cannot be compared until it is told anew. `since` is the age
// of what was lost.
void DeltaSender::put_back(std::uint32_t id, std::uint32_t since) {
  Slot& slot = table_.slot(id);
  HOTPAIR_DASSERT(slot.flags & kFlying);
  if (slot.flags & kDirty) {
    fresh_.unlink(table_, id);
    slot.since = older(slot.since, since);
  }
  slot.flags |= kDirty;
  fresh_.push_front(table_, id);
  if (!(slot.flags & kLost)) ++lost_waiting_;
  slot.flags = static_cast<std::uint8_t>((slot.flags | kLost) & ~kFlying);
}

void DeltaSender::clear(Slot& slot, std::uint8_t flags) {
  const bool was_unsettled = (slot.flags & (kDirty | kFlying)) != 0;
  slot.flags = static_cast<std::uint8_t>(slot.flags & ~flags);
  if (was_unsettled && !(slot.flags & (kDirty | kFlying))) --unsettled_;
}

// The session ended, or was told: neither bulk nor repair waits for it any more.
void DeltaSender::drop_duties(Slot& slot) {
  if (slot.flags & kBulk) --bulk_pending_;
  if (slot.flags & kRepair) --repair_pending_;
  slot.flags = static_cast<std::uint8_t>(slot.flags & ~(kBulk | kRepair));
}

void DeltaSender::release_delayed(Instant now) {
  while (!delayed_.empty()) {
    const std::uint32_t id = delayed_.first();
    Slot& slot = table_.slot(id);
    if (coarse_age(slot.since, now) < delay_) return;
    delayed_.unlink(table_, id);
    slot.flags = static_cast<std::uint8_t>(slot.flags & ~kDelayed);
    make_dirty(id, now);
  }
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
  delayed_.clear();
  sent_.clear();
  unsettled_ = 0;
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
  flight_.on_time(now, [&](const FlightFrame& frame) { on_lost(frame); });
  if (repair_ == Repair::marking) mark_for_repair(now, max_slots);
  advance_repair(now);
}

bool DeltaSender::in_sync(Instant now) const {
  return connected_ && bulk_finished_ && !incomplete_ && repair_ == Repair::none &&
         audit_.fresh(now) && now - peer_heard_at_ <= kPeerSilence && lag(now) <= kMostLagInSync;
}

std::uint64_t DeltaSender::lag_sessions() const {
  return connected_ ? unsettled_ + bulk_unsent_ : table_.size();
}

Duration DeltaSender::lag(Instant now) const {
  if (!connected_) return Duration{0};
  Duration oldest{0};
  if (bulk_pending_ > 0) oldest = now - stream_began_at_;
  if (!fresh_.empty())
    oldest = std::max(oldest, coarse_age(table_.slot(fresh_.first()).since, now));
  if (const FlightFrame* frame = flight_.oldest_frame(); frame != nullptr && frame->count > 0)
    oldest = std::max(oldest, coarse_age(frame->since, now));
  return oldest;
}

bool DeltaSender::settled_since(Instant since, Instant now) const {
  if (!connected_) return true;
  if (bulk_pending_ > 0) return false;
  const Duration age = now - since - kCoarseStep;
  if (!fresh_.empty() && coarse_age(table_.slot(fresh_.first()).since, now) >= age) return false;
  for (std::uint64_t s = flight_.oldest(); s < flight_.next_sequence(); ++s) {
    const FlightFrame* frame = flight_.remembered(s);
    if (frame != nullptr && frame->state == FlightFrame::State::flying && frame->count > 0 &&
        coarse_age(frame->since, now) >= age)
      return false;
  }
  return true;
}

}  // namespace hotpair::dataplane
