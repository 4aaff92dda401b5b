// What goes into frames. What becomes of it: delta_sender_settled.cpp.
#include <algorithm>

#include "dataplane/core/coarse_time.hpp"
#include "dataplane/core/compact_record.hpp"
#include "dataplane/core/delta_sender.hpp"
#include "dataplane/core/sender_flags.hpp"
#include "dataplane/core/session_key.hpp"
#include "platform/base/assert.hpp"

namespace hotpair::dataplane {

using namespace sender_flags;

namespace {

constexpr std::uint32_t kFramesPerBulkTurn =
    8;                              // every eighth frame starts with bulk: it always ends
constexpr std::size_t kBlock = 16;  // sessions that are worked on together

// Of a slot that this stream has adopted.
RecordKind kind_for(const Slot& slot) {
  if (slot.tombstone()) return RecordKind::remove;
  return (slot.flags & kKnown) ? RecordKind::update : RecordKind::create;
}

}  // namespace

std::size_t DeltaSender::next_frame(Instant now, MutableBytes buffer) {
  HOTPAIR_ASSERT(buffer.size() >= kMinFrame);
  std::size_t size = 0;
  if (connected_ && flight_.may_send()) {
    if (marker_due(now))
      size = write_marker(now, buffer);
    else if (anything_to_send())
      size = write_data(now, buffer);
  }
  if (size == 0 && now >= probe_at_) size = write_probe(now, buffer);
  if (size == 0) return 0;
  probe_at_ = now + kProbePeriod;
  ++counters_.frames_sent;
  return size;
}

FrameHeader DeltaSender::header(FrameKind kind, std::uint64_t sequence, Instant now) const {
  return {.kind = kind,
          .flags = in_sync(now) ? kFlagInSync : std::uint8_t{0},
          .span = static_cast<std::uint16_t>(sequence == 0 ? 0 : sequence - flight_.oldest()),
          .stream = connected_ ? stream_ : 0,
          .epoch = epoch_,
          .sender = instance_,
          .receiver = peer_,
          .sequence = sequence};
}

// Keeps the connection alive, finds a peer, and learns of new credit when an acknowledgement was
// lost.
std::size_t DeltaSender::write_probe(Instant now, MutableBytes buffer) {
  ByteWriter out(buffer);
  FrameHeader h = header(FrameKind::marker, 0, now);
  if (!connected_) h.receiver = 0;
  encode_header(h, out);
  encode(Marker{.round = 0, .want = Marker::Want::nothing, .sessions = table_.size()}, out);
  return out.size();
}

// A digest speaks of sessions as last sent, so nothing that was lost may still wait to be sent
// again.
bool DeltaSender::marker_due(Instant now) const {
  return bulk_finished_ && repair_ == Repair::none && lost_waiting_ == 0 && audit_.due(now);
}

std::size_t DeltaSender::write_marker(Instant now, MutableBytes buffer) {
  const bool quiet = dirty_ == 0 && flight_.empty();
  ByteWriter out(buffer);
  encode_header(header(FrameKind::marker, flight_.next_sequence(), now), out);
  flight_.keep();
  encode(audit_.begin(flight_, quiet, sent_, table_.size(), now), out);
  flight_.prepare();
  flight_.launch(now);
  return out.size();
}

// All of the table was named in this stream: what the backup has besides can go.
bool DeltaSender::bulk_sweep_due() const {
  return bulk_pending_ == 0 && !bulk_sweep_flying_ && !bulk_finished_;
}

bool DeltaSender::bucket_sweeps_due() const {
  return repair_ == Repair::sweeping && sweeps_due_.any();
}

bool DeltaSender::anything_to_send() const {
  return dirty_ > 0 || bulk_unsent_ > 0 || bulk_sweep_due() || bucket_sweeps_due();
}

std::size_t DeltaSender::write_data(Instant now, MutableBytes buffer) {
  const MutableBytes body = buffer.first(std::min(buffer.size(), kMaxFrame));
  FlightFrame& frame = flight_.prepare();
  ByteWriter head(body);
  encode_header(header(FrameKind::data, frame.sequence, now), head);
  std::size_t at = kHeaderSize + 2;
  const bool bulk_first = ++frames_since_bulk_ >= kFramesPerBulkTurn;
  if (bulk_first) frames_since_bulk_ = 0;
  write_sweeps(now, body, at, frame);
  prefetch_slots(fresh_.front_run(kBlock));
  while (frame.count < kMaxRecordsPerFrame) {
    if (!fresh_.empty() && lost_.empty() && !(bulk_first && bulk_unsent_ > 0)) {
      if (!write_run(body, at, frame)) break;
      continue;
    }
    const std::uint32_t id = next_to_send(bulk_first);
    if (id == SessionTable::kNone || !write_session(id, body, at, frame)) break;
  }
  if (frame.count == 0) return 0;
  encode_record_count(frame.count, body.data());
  flight_.launch(now);
  return at;
}

void DeltaSender::write_sweeps(Instant now, MutableBytes body, std::size_t& at,
                               FlightFrame& frame) {
  const auto write = [&](std::uint16_t bucket, std::uint64_t from) {
    const std::size_t size = encode_record(
        {.kind = RecordKind::sweep, .bucket = bucket, .id = 0, .from = from, .session = {}},
        body.subspan(at));
    if (size == 0) return false;
    at += size;
    frame.add({.id = 0, .bucket = bucket, .kind = RecordKind::sweep}, coarse(now));
    return true;
  };
  if (bulk_sweep_due() && write(kAllBuckets, stream_begin_)) bulk_sweep_flying_ = true;
  if (!bucket_sweeps_due()) return;
  for (std::uint32_t b = 0; b < kBuckets && frame.count < kMaxRecordsPerFrame; ++b) {
    if (!sweeps_due_.test(b)) continue;
    if (!write(static_cast<std::uint16_t>(b), repair_begin_)) return;
    sweeps_due_.reset(b);
    ++sweeps_flying_;
  }
}

// The lists hold no more than these two fronts of what is to be sent first.
const IdQueue::Entry* DeltaSender::first_waiting() const {
  if (!lost_.empty()) return &lost_.front();
  return fresh_.empty() ? nullptr : &fresh_.front();
}

std::uint32_t DeltaSender::next_to_send(bool bulk_first) {
  if (bulk_first || dirty_ == 0) {
    const std::uint32_t id = next_bulk();
    if (id != SessionTable::kNone) return id;
  }
  const IdQueue::Entry* waiting = first_waiting();
  return waiting != nullptr ? waiting->id : SessionTable::kNone;
}

// The next session of the stream's beginning that was not sent yet; it stays next until it was
// written.
std::uint32_t DeltaSender::next_bulk() {
  for (; bulk_unsent_ > 0 && bulk_at_ < bulk_end_; ++bulk_at_) {
    const Slot& slot = table_.slot(bulk_at_);
    if (slot.live() && !adopted(slot)) return bulk_at_;
  }
  return SessionTable::kNone;
}

// Of the sessions of one block: from memory, then what the end of some of them will look up.
void DeltaSender::prefetch_slots(std::span<const IdQueue::Entry> block) const {
  for (const IdQueue::Entry& entry : block) table_.prefetch_slot_near(entry.id);
}
void DeltaSender::prefetch_ends(std::span<const IdQueue::Entry> block) const {
  if (table_.tombstones() == 0) return;
  for (const IdQueue::Entry& entry : block)
    if (table_.slot(entry.id).tombstone()) table_.prefetch_place_in_index(entry.id);
}

std::size_t DeltaSender::encode_slot(std::uint32_t id, RecordKind kind, MutableBytes out) const {
  const CompactSession& c = table_.slot(id).session;
  if (kind != RecordKind::create || c.side_kind() == Side::none)
    return encode_compact(kind, id, c, out);
  return encode_session(RecordKind::create, id, table_.session(id), out);
}

inline DeltaSender::Digests DeltaSender::digests_of(std::uint32_t id) const {
  const std::uint64_t key = table_.digest_of_key(id);
  return {key, table_.digest_of(id, key)};
}

// What the slot and the digests say of a session once the frame's record names it.
inline void DeltaSender::note_sent(Slot& slot, FlightRecord& record, const Digests& digests,
                                   std::uint64_t sequence) {
  const bool removed = record.kind == RecordKind::remove;
  const std::uint64_t digest = removed ? 0 : digests.session;
  record.bucket = static_cast<std::uint16_t>(bucket_of(digests.key));
  sent_.replace(record.bucket, slot.digest, digest);
  if (removed) table_.forget(record.id);
  slot.digest = digest;
  slot.frame = static_cast<std::uint32_t>(sequence);
  clean(slot);
  if (record.kind == RecordKind::create)
    slot.flags = static_cast<std::uint8_t>(slot.flags & ~kRetold);
}

void DeltaSender::count_sent(RecordKind kind, std::uint64_t records) {
  (kind == RecordKind::create   ? counters_.creates_sent
   : kind == RecordKind::update ? counters_.updates_sent
                                : counters_.deletes_sent) += records;
}

bool DeltaSender::write_session(std::uint32_t id, MutableBytes body, std::size_t& at,
                                FlightFrame& frame) {
  Slot& slot = table_.slot(id);
  const bool bulk = !adopted(slot);
  const RecordKind kind = bulk && slot.live() ? RecordKind::create : kind_for(slot);
  const std::size_t size = encode_slot(id, kind, body.subspan(at));
  if (size == 0) return false;
  at += size;
  std::uint32_t since = coarse(stream_began_at_);
  if (bulk) {
    adopt(slot, kBulk);
    --bulk_unsent_;
    ++bulk_at_;
  } else {
    since = first_waiting()->since;
  }
  FlightRecord& record = frame.add({.id = id, .bucket = 0, .kind = kind}, since);
  note_sent(slot, record, digests_of(id), frame.sequence);
  count_sent(kind, 1);
  trim();
  return true;
}

// One of the fresh list; false when it does not fit, and then nothing happened.
bool DeltaSender::write_fresh(const IdQueue::Entry& entry, const Digests& digests,
                              MutableBytes body, std::size_t& at, FlightFrame& frame) {
  Slot& slot = table_.slot(entry.id);
  if (slot.flags & kDirty) {
    const RecordKind kind = kind_for(slot);
    const std::size_t size = encode_slot(entry.id, kind, body.subspan(at));
    if (size == 0) return false;
    at += size;
    FlightRecord& record = frame.add({.id = entry.id, .bucket = 0, .kind = kind}, entry.since);
    note_sent(slot, record, digests, frame.sequence);
    count_sent(kind, 1);
  }
  slot.flags = static_cast<std::uint8_t>(slot.flags & ~kQueued);
  return true;
}

// The first of the block, as long as they are to be told by records of this kind, live, have
// nothing beside them, and there is room for any record: what write_fresh() would do, in fewer
// steps. Returns how many.
template <RecordKind kind>
std::size_t DeltaSender::write_plain(std::span<const IdQueue::Entry> block,
                                     std::span<const Digests> digests, MutableBytes body,
                                     std::size_t& at, FlightFrame& frame) {
  constexpr bool kUpdate = kind == RecordKind::update;
  constexpr std::uint8_t kMust = kDirty | (kUpdate ? kKnown : 0),
                         kMustNot = kDirty | kLost | kKnown;
  constexpr auto kKept =
      static_cast<std::uint8_t>(~(kDirty | kQueued | (kUpdate ? 0u : unsigned{kRetold})));
  compact::Pen pen(body.data() + at);
  const std::uint8_t* const end = body.data() + body.size();
  FlightRecord* const records = frame.records + frame.count;
  const std::size_t most = std::min(block.size(), kMaxRecordsPerFrame - frame.count);
  const auto sequence = static_cast<std::uint32_t>(frame.sequence);
  std::size_t done = 0;
  for (; done < most && pen.room_before(end) >= compact::kMost; ++done) {
    const std::uint32_t id = block[done].id;
    Slot& slot = table_.slot(id);
    if ((slot.flags & kMustNot) != kMust || !slot.live() || slot.session.form != 0) break;
    if constexpr (kUpdate)
      compact::put_update(pen, id, slot.session);
    else
      compact::put_create(pen, id, slot.session);
    const std::uint32_t bucket = bucket_of(digests[done].key);
    sent_.replace(bucket, slot.digest, digests[done].session);
    slot.digest = digests[done].session;
    slot.frame = sequence;
    slot.flags &= kKept;
    records[done] = {.id = id, .bucket = static_cast<std::uint16_t>(bucket), .kind = kind};
  }
  if (done == 0) return 0;
  at += pen.size();
  frame.added(done, block[0].since, kUpdate);
  dirty_ -= done;
  count_sent(kind, done);
  return done;
}

// As many of the block as there is room for.
std::size_t DeltaSender::write_block(std::span<const IdQueue::Entry> block, MutableBytes body,
                                     std::size_t& at, FlightFrame& frame) {
  // First all products of the digests: those of many sessions are under way together then.
  std::array<Digests, kBlock> digests;
  for (std::size_t i = 0; i < block.size(); ++i) {
    digests[i] = digests_of(block[i].id);
    sent_.prefetch(bucket_of(digests[i].key));
  }
  std::size_t done = 0;
  while (done < block.size()) {
    const std::span<const Digests> theirs(digests.data() + done, block.size() - done);
    const bool known = (table_.slot(block[done].id).flags & kKnown) != 0;
    done += known ? write_plain<RecordKind::update>(block.subspan(done), theirs, body, at, frame)
                  : write_plain<RecordKind::create>(block.subspan(done), theirs, body, at, frame);
    if (done == block.size() || frame.count == kMaxRecordsPerFrame ||
        !write_fresh(block[done], digests[done], body, at, frame))
      break;
    ++done;
  }
  return done;
}

// What changed, in the order of the fresh list, until the frame is full (false) or the list comes
// to its end. Nothing else is waiting that goes before it. Block after block: the memory of the
// next is fetched while one is written.
bool DeltaSender::write_run(MutableBytes body, std::size_t& at, FlightFrame& frame) {
  bool room = true;
  while (room && !fresh_.empty()) {
    const std::span<const IdQueue::Entry> ready = fresh_.front_run(2 * kBlock);
    const auto block = ready.first(std::min(ready.size(), kBlock));
    prefetch_slots(ready.subspan(block.size()));
    prefetch_ends(block);
    const std::size_t done = write_block(block, body, at, frame);
    room = done == block.size() && frame.count < kMaxRecordsPerFrame;
    fresh_.pop(done);
  }
  trim();
  return room;
}

std::optional<Instant> DeltaSender::next_deadline(Instant now) const {
  if (!connected_)
    return table_.tombstones() > 0 && reclaim_at_ < table_.high_water() ? now : probe_at_;
  if (repair_ == Repair::marking) return now;
  std::optional<Instant> due = probe_at_;
  const auto sooner = [&due](Instant at) { due = std::min(*due, at); };
  sooner(peer_heard_at_ + kPeerSilence);
  if (const auto timeout = flight_.deadline()) sooner(*timeout);
  if (!delayed_.empty())
    sooner(now + std::max(delay_ - coarse_age(delayed_.front().since, now), kCoarseStep));
  if (!closing_.empty())
    sooner(now + kClosingTogether +
           std::max(closing_hold_ - coarse_age(closing_.front().since, now), Duration{0}));
  if (flight_.may_send()) {
    if (anything_to_send()) return now;
    if (bulk_finished_ && repair_ == Repair::none && lost_waiting_ == 0) sooner(audit_.deadline());
  }
  return due;
}

}  // namespace hotpair::dataplane
