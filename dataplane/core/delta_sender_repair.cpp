// Repair of buckets whose digests differ: their sessions are sent again as creates; once all of
// these are acknowledged, a sweep tells the backup to remove what in these buckets was not named
// since. One repair at a time; no digests are compared until it is over.
#include "dataplane/core/delta_sender.hpp"
#include "dataplane/core/sender_flags.hpp"
#include "dataplane/core/session_key.hpp"

namespace hotpair::dataplane {

using namespace sender_flags;

namespace {

constexpr std::size_t kMostBucketsRepaired = 256;  // more, and the whole table is sent again

}  // namespace

void DeltaSender::on_report(const FrameHeader& h, const Report& report, Instant now) {
  on_peer(h, now);
  if (!of_this_stream(h) || !bulk_finished_ || repair_ != Repair::none) return;
  peer_sessions_ = report.sessions;
  const auto different = audit_.on_report(report, flight_, counters_, now);
  if (!audit_.running()) flight_.let_go();
  if (!different || different->none()) return;
  if (different->count() > kMostBucketsRepaired)
    begin_stream(peer_, now);
  else
    begin_repair(*different);
}

void DeltaSender::begin_repair(const BucketSet& buckets) {
  ++counters_.repairs;
  repair_ = Repair::marking;
  repair_buckets_ = buckets;
  repair_begin_ = flight_.next_sequence();
  repair_at_ = 0;
  repair_pending_ = 0;
}

void DeltaSender::mark_for_repair(Instant now, std::size_t max_slots) {
  for (; repair_at_ < table_.high_water() && max_slots > 0; ++repair_at_, --max_slots) {
    Slot& slot = table_.slot(repair_at_);
    const bool never_told = (slot.flags & kKeptBack) && slot.digest == 0;
    if (!slot.live() || !adopted(slot) || never_told) continue;
    if (!repair_buckets_.test(bucket_of(table_.digest_of_key(repair_at_)))) continue;
    slot.flags = static_cast<std::uint8_t>((slot.flags | kRetold) & ~kKnown);
    if (!(slot.flags & kRepair)) ++repair_pending_;
    slot.flags |= kRepair;
    make_dirty(repair_at_, now);
  }
  if (repair_at_ >= table_.high_water()) repair_ = Repair::resending;
}

void DeltaSender::advance_repair(Instant now) {
  if (repair_ == Repair::resending && repair_pending_ == 0) {
    repair_ = Repair::sweeping;
    sweeps_due_ = repair_buckets_;
  } else if (repair_ == Repair::sweeping && sweeps_due_.none() && sweeps_flying_ == 0) {
    repair_ = Repair::none;
    audit_.request_round(now);
  }
}

bool DeltaSender::damaged(std::uint32_t id) const {
  const Slot& slot = table_.slot(id);
  if (!connected_ || !slot.live() || !adopted(slot) || slot.digest == 0 ||
      (slot.flags & (kDirty | kKeptBack)))
    return false;
  return !table_.well_formed(id) || table_.digest_of(id, table_.digest_of_key(id)) != slot.digest;
}

// Finds memory errors: content that is no longer what its digest was made of. The backup has what
// it was and keeps it, until the kernel has told it here again; but a session under a damaged key
// ends.
bool DeltaSender::scrub(std::uint32_t id, Instant now) {
  if (!damaged(id)) return false;
  ++counters_.scrub_damaged;
  if (table_.reachable(id)) return true;
  remove(id, now);  // by its id
  table_.slot(id).digest = 0;
  rebuild_digests();
  return true;
}

// After a damaged key nobody knows which bucket it was counted in.
void DeltaSender::rebuild_digests() {
  sent_.clear();
  for (std::uint32_t id = 0; id < table_.high_water(); ++id) {
    const Slot& slot = table_.slot(id);
    if (!adopted(slot) || slot.digest == 0) continue;
    sent_.replace(bucket_of(table_.digest_of_key(id)), 0, slot.digest);
  }
}

}  // namespace hotpair::dataplane
