// What becomes of frames under way: received or lost.
#include <algorithm>

#include "dataplane/core/delta_sender.hpp"
#include "dataplane/core/sender_flags.hpp"

namespace hotpair::dataplane {

using namespace sender_flags;

void DeltaSender::on_ack(const FrameHeader& h, const Ack& ack, Instant now) {
  on_peer(h, now);
  if (!of_this_stream(h)) return;
  const bool newest = h.sequence > newest_ack_;
  newest_ack_ = std::max(newest_ack_, h.sequence);
  if (newest) peer_sessions_ = ack.sessions;
  const bool known = flight_.on_ack(
      ack, newest, now, [&](const FlightFrame& frame) { on_received(frame); },
      [&](const FlightFrame& frame) { on_lost(frame); });
  if (!known) ++counters_.rejected_future_ack;
}

void DeltaSender::on_received(const FlightFrame& frame) {
  if (frame.updates_only) return;
  for (std::size_t i = 0; i < frame.count; ++i) {
    table_.prefetch_slot(frame.records[i].id);
    if (frame.records[i].kind == RecordKind::remove) table_.prefetch_release(frame.records[i].id);
  }
  for (std::size_t i = 0; i < frame.count; ++i) on_received(frame.records[i], frame.sequence);
}

void DeltaSender::on_received(const FlightRecord& record, std::uint64_t sequence) {
  if (record.kind == RecordKind::update) return;
  if (record.kind == RecordKind::sweep) {
    if (record.bucket != kAllBuckets) {
      --sweeps_flying_;
    } else if (!bulk_finished_) {
      bulk_finished_ = true;
      ++counters_.bulk_finished;
    }
    return;
  }
  Slot& slot = table_.slot(record.id);
  if (!adopted(slot)) return;  // gone; the id may be another's by now
  if (record.kind == RecordKind::create && slot.live()) {
    slot.set_born(false);
    const bool repaired = (slot.flags & kRepair) && sequence >= repair_begin_;
    if (repaired) --repair_pending_;
    if (slot.flags & kBulk) --bulk_pending_;
    slot.flags = static_cast<std::uint8_t>(slot.flags & ~(kBulk | (repaired ? kRepair : 0)));
  }
  if (slot.frame != static_cast<std::uint32_t>(sequence)) return;  // a later frame named it too
  if (record.kind == RecordKind::create && slot.live() && slot.digest != 0 &&
      !(slot.flags & kRetold))
    slot.flags |= kKnown;
  if (record.kind == RecordKind::remove && slot.tombstone() && !(slot.flags & kDirty))
    table_.release(record.id);
}

void DeltaSender::on_lost(const FlightFrame& frame) {
  ++counters_.frames_lost;
  for (std::size_t i = 0; i < frame.count; ++i) {
    const FlightRecord& record = frame.records[i];
    if (record.kind == RecordKind::sweep) {
      if (record.bucket == kAllBuckets) {
        bulk_sweep_flying_ = false;
      } else {
        sweeps_due_.set(record.bucket);
        --sweeps_flying_;
      }
      continue;
    }
    const Slot& slot = table_.slot(record.id);
    const bool told = slot.live() ? slot.digest != 0 : slot.tombstone();
    if (adopted(slot) && told && slot.frame == static_cast<std::uint32_t>(frame.sequence))
      put_back(record.id, frame.since);
  }
}

}  // namespace hotpair::dataplane
