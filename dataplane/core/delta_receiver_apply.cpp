// What the records of a frame do to the table, and what a sweep removes from it.
#include <algorithm>
#include <span>

#include "dataplane/core/delta_receiver.hpp"
#include "dataplane/core/in_turn.hpp"
#include "dataplane/core/receiver_flags.hpp"
#include "dataplane/core/session_key.hpp"

namespace hotpair::dataplane {

using namespace receiver_flags;

// All or nothing: a frame that is not understood to its end changes nothing.
bool DeltaReceiver::decode_all(ByteReader& in) {
  batch_size_ = in.u16();
  wholes_.clear();
  if (in.failed() || batch_size_ == 0 || batch_size_ > kMaxRecordsPerFrame) return false;
  for (std::size_t i = 0; i < batch_size_; ++i) {
    Target& target = batch_[i];
    target.whole = kAlone;
    const Decoded decoded = decode_compact(in, target.record);
    if (decoded == Decoded::malformed) return false;
    if (decoded == Decoded::whole && !decode_whole(in, target)) return false;
  }
  return in.remaining() == 0;
}

bool DeltaReceiver::decode_whole(ByteReader& in, Target& target) {
  Record record;
  if (!decode_record(in, record)) return false;
  target.record.kind = record.kind;
  target.record.id = record.id;
  if (record.kind == RecordKind::sweep) {
    target.bucket = record.bucket;
    target.hash = record.from;
  } else if (record.kind == RecordKind::create) {
    target.whole = static_cast<std::uint16_t>(wholes_.size());
    wholes_.push_back(normalised(record.session));
  } else {
    target.record.session = SessionView(record.session).compact;
  }
  return true;
}

inline bool DeltaReceiver::bound(const Slot& slot) const {
  return slot.live() && slot.generation == table_.generation() && (slot.flags & kBound) != 0;
}

// Only frames of the receive window come in, so the low bits of their numbers tell their order.
inline bool DeltaReceiver::named_later(const Slot& slot, std::uint64_t sequence) const {
  const std::uint32_t ahead = slot.frame - static_cast<std::uint32_t>(sequence);
  return slot.generation == table_.generation() && ahead - 1 < 2 * kWindowFrames;
}

inline void DeltaReceiver::set_digest(std::uint32_t id, std::uint64_t key_digest,
                                      std::uint64_t digest) {
  Slot& slot = table_.slot(id);
  if (id < counted_to_) digests_.replace(bucket_of(key_digest), slot.digest, digest);
  slot.digest = digest;
}

inline void DeltaReceiver::changed(std::uint32_t id) {
  const std::uint64_t key_digest = table_.digest_of_key(id);
  set_digest(id, key_digest, table_.digest_of(id, key_digest));
  tell_sink(id);
}

inline void DeltaReceiver::apply_update(std::uint32_t id, UpdatedPart part) {
  CompactSession& c = table_.slot(id).session;
  // Only TCP has flags; few others have a state.
  if (c.protocol != kProtocolTcp) part.bits &= has_state(c.protocol) ? 0xffu : 0xf0u;
  if (part == UpdatedPart(c)) {
    ++counters_.records_same;
    return;
  }
  ++counters_.updates_applied;
  if (c.form != 0) {
    part.apply_to(c);
    return changed(id);
  }
  // The same without reading back what is being written: a processor waits for that.
  SessionView updated(c);
  const std::uint32_t bits = part.bits | (changing_bits(c) & ~UpdatedPart::kBits);
  for (CompactSession* s : {&updated.compact, &c}) {
    s->timeout_s = part.timeout_s;
    set_changing_bits(*s, bits);
  }
  const std::uint64_t key_digest = digest_key(c);
  set_digest(id, key_digest, digest_session(key_digest, c.mark, part.timeout_s, bits));
  sink_.on_upsert(updated, false);
}

inline void DeltaReceiver::fetch_first(Target& target) {
  const CompactRecord& record = target.record;
  if (record.id < table_.capacity()) table_.prefetch_slot(record.id);
  if (record.kind != RecordKind::create) return;
  target.hash =
      target.whole == kAlone ? table_.hash(record.session) : table_.hash(wholes_[target.whole].key);
  table_.prefetch(target.hash);
}
inline void DeltaReceiver::fetch_second(const Target& target) const {
  const CompactRecord& record = target.record;
  if (record.kind == RecordKind::create) {
    const std::uint32_t found = table_.candidate(target.hash);
    if (found != SessionTable::kNone) table_.prefetch_slot(found);
  } else if (record.kind == RecordKind::remove && record.id < table_.capacity()) {
    table_.prefetch_place_in_index(record.id);
    table_.prefetch_release(record.id);
  }
}

void DeltaReceiver::apply_batch(std::uint64_t sequence) {
  in_turn(
      batch_size_, [this](std::size_t i) { fetch_first(batch_[i]); },
      [this](std::size_t i) { fetch_second(batch_[i]); },
      [&](std::size_t i) { apply(batch_[i], sequence); });
}

inline void DeltaReceiver::apply(const Target& target, std::uint64_t sequence) {
  const CompactRecord& record = target.record;
  if (record.kind == RecordKind::sweep) return begin_sweep(target.bucket, target.hash);
  if (record.id >= table_.capacity()) {
    ++counters_.records_out_of_range;
    return;
  }
  Slot& slot = table_.slot_for_notes(record.id);
  if (named_later(slot, sequence)) {
    ++counters_.records_stale;
    return;
  }
  const bool is_bound = bound(slot);
  slot.generation = table_.generation();
  slot.flags = is_bound ? kBound : std::uint8_t{0};
  slot.frame = static_cast<std::uint32_t>(sequence);
  if (record.kind == RecordKind::create) return apply_create(target, sequence);
  if (!is_bound) {
    ++counters_.records_unknown;
  } else if (record.kind == RecordKind::update) {
    apply_update(record.id, UpdatedPart(record.session));
  } else {
    ++counters_.deletes_applied;
    remove(record.id);
  }
}

void DeltaReceiver::apply_create(const Target& target, std::uint64_t sequence) {
  const std::uint32_t id = target.record.id;
  const SessionView session = target.whole == kAlone ? SessionView(target.record.session)
                                                     : SessionView(wholes_[target.whole]);
  const std::uint32_t found = place_for(target, session, sequence);
  if (found == SessionTable::kNone) return;
  table_.slot(id).flags |= kBound;
  if (found != id) return;  // it was put there now
  table_.slot(id).set_born(false);
  if (table_.same_state(id, session)) {
    ++counters_.records_same;
    return;
  }
  table_.set_state(id, session);
  changed(id);
  ++counters_.creates_applied;
}

// Brings the session to its slot. That slot when it is there already (with another state, perhaps);
// the capacity when it was inserted; kNone when the record is not to be applied.
std::uint32_t DeltaReceiver::place_for(const Target& target, const SessionView& session,
                                       std::uint64_t sequence) {
  const std::uint32_t id = target.record.id;
  const std::uint32_t found = table_.find(session, target.hash);
  if (found == id) return id;
  if (bound(table_.slot(id))) remove(id);  // the id is another session's now
  if (found != SessionTable::kNone) {
    // Named under another id by a newer frame: it ended there and began anew here, or the other way
    // round, and the frames changed places under way.
    if (bound(table_.slot(found)) && named_later(table_.slot(found), sequence)) {
      ++counters_.records_stale;
      return SessionTable::kNone;
    }
    if (!vacate(id)) return SessionTable::kNone;
    move(found, id);
    return id;
  }
  if (!vacate(id) || !insert(id, session, target.hash)) {
    ++counters_.table_full;
    return SessionTable::kNone;
  }
  ++counters_.creates_applied;
  return table_.capacity();
}

// Makes a slot free whose session this stream does not name: what an earlier stream left there goes
// elsewhere. False when there is nowhere to go.
bool DeltaReceiver::vacate(std::uint32_t id) {
  const Slot& slot = table_.slot(id);
  if (slot.tombstone()) table_.release(id);  // of our time as the primary
  if (!slot.live()) return true;
  const std::uint32_t elsewhere = table_.any_free();
  if (elsewhere == SessionTable::kNone) return false;
  move(id, elsewhere);
  return true;
}

bool DeltaReceiver::insert(std::uint32_t id, const SessionView& session, std::uint64_t hash) {
  if (!table_.insert_at(id, session, hash)) return false;
  const std::uint64_t key_digest = table_.digest_of_key(id);
  set_digest(id, key_digest, table_.digest_of(id, key_digest));
  sink_.on_upsert(session, true);
  return true;
}

// The walks over the slots may have passed where it goes: it is counted and swept there anew, and
// the kernel hears of it once more, so that its entry lasts until the next walk.
void DeltaReceiver::move(std::uint32_t from, std::uint32_t to) {
  const std::uint64_t key_digest = table_.digest_of_key(from);
  set_digest(from, key_digest, 0);
  table_.move(from, to);
  table_.slot(from).flags = 0;
  if (table_.slot(to).generation == table_.generation()) table_.slot(to).flags = 0;
  set_digest(to, key_digest, table_.digest_of(to, key_digest));
  if (sweeping_) sweep_at_ = std::min(sweep_at_, to);
  tell_sink(to);
}

void DeltaReceiver::tell_sink(std::uint32_t id) {
  const CompactSession& c = table_.slot(id).session;
  if (c.side_kind() == Side::none) return sink_.on_upsert(SessionView(c), false);
  const Session whole = table_.session(id);
  sink_.on_upsert(SessionView(whole), false);
}

void DeltaReceiver::remove(std::uint32_t id) {
  set_digest(id, table_.digest_of_key(id), 0);
  sink_.on_remove(table_.key(id));
  table_.erase(id);
}

// The slots' digests are counted anew, some with each work(): after another role kept its notes in
// them.
void DeltaReceiver::recount() {
  digests_.clear();
  counted_to_ = 0;
}

void DeltaReceiver::count_slot(std::uint32_t id) {
  Slot& slot = table_.slot(id);
  if (slot.tombstone()) return table_.release(id);  // of our time as the primary
  if (!slot.live()) return;
  const std::uint64_t key_digest = table_.digest_of_key(id);
  slot.digest = table_.digest_of(id, key_digest);
  digests_.replace(bucket_of(key_digest), 0, slot.digest);
}

void DeltaReceiver::begin_sweep(std::uint16_t bucket, std::uint64_t from) {
  if (!sweeping_) {
    sweep_buckets_.reset();
    sweep_from_ = from;
  }
  sweeping_ = true;
  sweep_at_ = 0;
  sweep_from_ = std::min(sweep_from_, from);
  if (bucket == kAllBuckets)
    sweep_buckets_.set();
  else
    sweep_buckets_.set(bucket);
}

void DeltaReceiver::sweep_slot(std::uint32_t id, Instant now) {
  const Slot& slot = table_.slot(id);
  if (!slot.live() || !sweep_buckets_.test(bucket_of(table_.digest_of_key(id)))) return;
  if (bound(slot)) {
    const std::uint32_t age = static_cast<std::uint32_t>(window_.newest()) - slot.frame;
    if (age <= window_.newest() - sweep_from_) return;
  }
  ++counters_.swept;
  if (!slot.born() || !offers_.add(table_.session(id), now)) return remove(id);
  set_digest(id, table_.digest_of_key(id), 0);
  table_.erase(id);
}

// What the primary took, or has of its own under the same key, is in the table by now.
void DeltaReceiver::settle_offers(Instant now) {
  offers_.settle(
      now, [this](const Session& s) { return table_.find(s.key) != SessionTable::kNone; },
      [this](const Session& s) {
        ++counters_.offers_declined;
        sink_.on_remove(s.key);
      });
}

void DeltaReceiver::work(std::size_t max_slots, Instant now) {
  if (!offers_.empty()) settle_offers(now);
  if (counting()) {
    for (; counted_to_ < table_.high_water() && max_slots > 0; --max_slots) {
      count_slot(counted_to_);
      ++counted_to_;
    }
    if (counted_to_ >= table_.high_water()) counted_to_ = SessionTable::kNone;
  }
  if (!sweeping_) return;
  for (; sweep_at_ < table_.high_water() && max_slots > 0; ++sweep_at_, --max_slots)
    sweep_slot(sweep_at_, now);
  sweeping_ = sweep_at_ < table_.high_water();
}

// Finds memory errors: content that is no longer what its digest was made of. The digest is set
// right, so that the primary finds the difference and sends the session again.
void DeltaReceiver::scrub(std::uint32_t id) {
  const Slot& slot = table_.slot(id);
  if (!slot.live() || id >= counted_to_) return;
  const std::uint64_t key_digest = table_.digest_of_key(id);
  const std::uint64_t digest = table_.digest_of(id, key_digest);
  if (digest == slot.digest && table_.well_formed(id)) return;
  ++counters_.scrub_damaged;
  if (table_.reachable(id)) return set_digest(id, key_digest, digest);
  table_.erase(id);  // the kernel's entry, under the true key, is the next create's
  recount();
}

}  // namespace hotpair::dataplane
