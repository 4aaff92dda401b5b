// What the records of a frame do to the table, and what a sweep removes from it.
#include "dataplane/core/delta_receiver.hpp"
#include "dataplane/core/session_key.hpp"

namespace hotpair::dataplane {
namespace {

constexpr std::size_t kPrefetchAhead = 6;  // records; about one memory access behind

void take_changing(SessionState& state, const SessionState& from) {
  state.status = from.status;
  state.timeout_s = from.timeout_s;
  state.tcp_state = from.tcp_state;
  state.tcp_flags_original = from.tcp_flags_original;
  state.tcp_flags_reply = from.tcp_flags_reply;
}

}  // namespace

// All or nothing: a frame that is not understood to its end changes nothing.
bool DeltaReceiver::decode_all(ByteReader& in) {
  batch_size_ = in.u16();
  if (in.failed() || batch_size_ == 0 || batch_size_ > kMaxRecordsPerFrame) return false;
  for (std::size_t i = 0; i < batch_size_; ++i) {
    Target& target = batch_[i];
    if (!decode_record(in, target.record)) return false;
    if (target.record.kind == RecordKind::sweep) continue;
    ids_.prefetch(target.record.id);
    if (target.record.kind != RecordKind::create) continue;
    target.hash = table_.hash(target.record.session.key);
    table_.prefetch(target.hash);
  }
  return in.remaining() == 0;
}

void DeltaReceiver::prefetch_ahead(std::size_t at) {
  if (at + kPrefetchAhead >= batch_size_) return;
  const Record& record = batch_[at + kPrefetchAhead].record;
  if (record.kind == RecordKind::sweep || record.kind == RecordKind::create) return;
  const IdNote* note = ids_.find(record.id, notes_stream_);
  if (note != nullptr && note->slot != SessionTable::kNone) table_.prefetch_slot(note->slot);
}

void DeltaReceiver::apply(const Target& target, std::uint64_t sequence) {
  const Record& record = target.record;
  if (record.kind == RecordKind::sweep) return begin_sweep(record);
  IdNote* note = ids_.find(record.id, notes_stream_);
  if (note == nullptr) {
    ++counters_.records_out_of_range;
    return;
  }
  if (note->sequence > sequence) {
    ++counters_.records_stale;
    return;
  }
  note->sequence = sequence;
  if (record.kind == RecordKind::create) return apply_create(target, *note);
  const std::uint32_t slot = bound_slot(record.id, *note);
  if (slot == SessionTable::kNone) {
    ++counters_.records_unknown;
  } else if (record.kind == RecordKind::update) {
    SessionState state = table_.slot(slot).session.state;
    take_changing(state, record.session.state);
    ++(change(slot, state) ? counters_.updates_applied : counters_.records_same);
  } else {
    ++counters_.deletes_applied;
    remove(slot);
  }
}

// The slot that holds the session with this id of the primary's.
std::uint32_t DeltaReceiver::bound_slot(std::uint32_t id, const IdNote& note) const {
  if (note.slot == SessionTable::kNone) return SessionTable::kNone;
  const Slot& slot = table_.slot(note.slot);
  const bool bound = slot.live() && slot.generation == table_.generation() && slot.wire == id;
  return bound ? note.slot : SessionTable::kNone;
}

// True when the session in `slot` was named under another id by a frame newer than `sequence`: it
// ended there and began anew here, or the other way round, and the frames changed places under way.
bool DeltaReceiver::overtaken(std::uint32_t slot, std::uint64_t sequence) {
  const Slot& s = table_.slot(slot);
  if (s.generation != table_.generation()) return false;
  const IdNote* other = ids_.find(s.wire, notes_stream_);
  return other != nullptr && other->slot == slot && other->sequence > sequence;
}

void DeltaReceiver::apply_create(const Target& target, IdNote& note) {
  const Record& record = target.record;
  std::uint32_t slot = table_.find(record.session.key, target.hash);
  const std::uint32_t bound = bound_slot(record.id, note);
  if (bound != SessionTable::kNone && bound != slot)
    remove(bound);  // the id is another session's now
  if (slot == SessionTable::kNone) {
    slot = table_.insert(record.session, target.hash);
    if (slot == SessionTable::kNone) {
      ++counters_.table_full;
      return;
    }
    ++counters_.creates_applied;
    const std::uint64_t key_digest = digest_key(record.session.key);
    set_digest(table_.slot(slot), slot, key_digest,
               digest_session(key_digest, record.session.state));
    sink_.on_upsert(record.session, true);
  } else if (overtaken(slot, note.sequence)) {
    ++counters_.records_stale;
    return;
  } else {
    table_.slot(slot).set_born(false);
    const bool changed = change(slot, record.session.state);
    ++(changed ? counters_.creates_applied : counters_.records_same);
  }
  Slot& s = table_.slot(slot);
  s.generation = table_.generation();
  s.wire = record.id;
  note.slot = slot;
}

bool DeltaReceiver::change(std::uint32_t id, const SessionState& state) {
  Slot& slot = table_.slot(id);
  if (slot.session.state == state) return false;
  slot.session.state = state;
  const std::uint64_t key_digest = digest_key(slot.session.key);
  set_digest(slot, id, key_digest, digest_session(key_digest, state));
  sink_.on_upsert(slot.session, false);
  return true;
}

void DeltaReceiver::remove(std::uint32_t id) {
  Slot& slot = table_.slot(id);
  set_digest(slot, id, digest_key(slot.session.key), 0);
  sink_.on_remove(slot.session.key);
  table_.erase(id);
}

void DeltaReceiver::set_digest(Slot& slot, std::uint32_t id, std::uint64_t key_digest,
                               std::uint64_t digest) {
  if (id < counted_to_) digests_.replace(bucket_of(key_digest), slot.digest, digest);
  slot.digest = digest;
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
  const std::uint64_t key_digest = digest_key(slot.session.key);
  slot.digest = digest_session(key_digest, slot.session.state);
  digests_.replace(bucket_of(key_digest), 0, slot.digest);
}

void DeltaReceiver::begin_sweep(const Record& record) {
  if (!sweeping_) {
    sweep_buckets_.reset();
    sweep_from_ = record.from;
  }
  sweeping_ = true;
  sweep_at_ = 0;
  sweep_from_ = std::min(sweep_from_, record.from);
  if (record.bucket == kAllBuckets)
    sweep_buckets_.set();
  else
    sweep_buckets_.set(record.bucket);
}

void DeltaReceiver::sweep_slot(std::uint32_t id, Instant now) {
  Slot& slot = table_.slot(id);
  if (!slot.live() || !sweep_buckets_.test(bucket_of(digest_key(slot.session.key)))) return;
  if (slot.generation == table_.generation()) {
    const IdNote* note = ids_.find(slot.wire, notes_stream_);
    if (note != nullptr && note->slot == id && note->sequence >= sweep_from_) return;
  }
  ++counters_.swept;
  if (!slot.born() || !offers_.add(slot.session, now)) return remove(id);
  set_digest(slot, id, digest_key(slot.session.key), 0);
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
  settle_offers(now);
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
  Slot& slot = table_.slot(id);
  if (!slot.live() || id >= counted_to_) return;
  if (table_.hash(slot.session.key) != slot.hash) {
    ++counters_.scrub_damaged;
    table_.erase(id);  // the kernel's entry, under the true key, is the next create's
    recount();
    return;
  }
  const std::uint64_t digest = digest_session(slot.session);
  if (digest == slot.digest) return;
  ++counters_.scrub_damaged;
  set_digest(slot, id, digest_key(slot.session.key), digest);
}

}  // namespace hotpair::dataplane
