// The sessions of one node, in numbered slots found by key. A slot's number is its session's id on
// the wire; on the primary it does not change while the session lives, and the backup keeps each
// session under the primary's number. 48 bytes a slot and about 12 of index; 16 more for NAT of
// IPv4, 36 for IPv6, 100 for both or for extras. Slots and index have their full size from the
// start; the rest follows the largest number of sessions seen. One thread.
//
// In a large table each lookup waits for memory twice: whoever works on many sessions fetches for
// those that follow meanwhile (in_turn.hpp).
#pragma once

#include <cstdint>
#include <map>

#include "dataplane/core/bucket_index.hpp"
#include "dataplane/core/compact_digest.hpp"
#include "dataplane/core/large_array.hpp"
#include "dataplane/core/side_store.hpp"
#include "dataplane/core/slot.hpp"
#include "dataplane/core/slot_map.hpp"
#include "platform/base/assert.hpp"

namespace hotpair::dataplane {

class SessionTable {
 public:
  static constexpr std::uint32_t kNone = BucketIndex::kNone;
  static constexpr std::uint32_t kMaxCapacity = 1u << BucketIndex::kIdBits;
  static constexpr std::uint8_t kDumpMarks = 32;

  // Room for `max_sessions` (at most 2^24) and, beyond them, a quarter as many tombstones.
  SessionTable(std::uint32_t max_sessions, std::uint64_t secret, MemoryAdvice advise = nullptr);

  std::uint64_t hash(const SessionKey& key) const;
  std::uint64_t hash(const CompactSession& ipv4) const { return hash_key(ipv4, secret_); }
  std::uint64_t hash(const SessionView& session) const {
    return session.compact.ipv6() ? hash(session.whole->key) : hash_key(session.compact, secret_);
  }
  void prefetch(std::uint64_t hash) const { index_.prefetch(hash); }
  void prefetch_slot(std::uint32_t id) const {
    const char* at = reinterpret_cast<const char*>(&slots_[id]);
    __builtin_prefetch(at, 0, 2);
    __builtin_prefetch(at + sizeof(Slot) - 1, 0, 2);
  }
  // The same of a slot that was worked on a while ago: from the second level cache into the first.
  void prefetch_slot_near(std::uint32_t id) const {
    const char* at = reinterpret_cast<const char*>(&slots_[id]);
    __builtin_prefetch(at);
    __builtin_prefetch(at + sizeof(Slot) - 1);
  }
  // The slot where the session with this hash is, if it is, or kNone; after prefetch().
  std::uint32_t candidate(std::uint64_t hash) const { return index_.candidate(hash); }
  // What the end of the slot's session will look up; after prefetch_slot().
  void prefetch_place_in_index(std::uint32_t id) const {
    if (slots_[id].live() || slots_[id].tombstone()) index_.prefetch(hash_of_slot(id));
  }
  // What giving the slot back will change besides it.
  void prefetch_release(std::uint32_t id) const { map_.prefetch(id); }
  std::uint32_t find(const SessionKey& key) const { return find(key, hash(key)); }
  std::uint32_t find(const SessionKey& key, std::uint64_t hash) const;
  std::uint32_t find(const SessionView& session, std::uint64_t hash) const {
    return index_.find(hash, [&](std::uint32_t id) { return holds(id, session); });
  }
  bool holds(std::uint32_t id, const SessionView& session) const {
    return slots_[id].live() && has_key(id, session);
  }
  // The session that ended in the present generation and was not forgotten.
  std::uint32_t find_ended(const SessionView& session, std::uint64_t hash) const;
  // A new live slot for a key that find() does not know; kNone when max_sessions live or no slot is
  // free.
  std::uint32_t insert(const SessionView& session, std::uint64_t hash) {
    const std::uint32_t id = live_ < max_live_ ? any_free() : kNone;
    if (id != kNone) fill(id, session, hash);
    return id;
  }
  std::uint32_t insert(const Session& normalised, std::uint64_t hash) {
    return insert(SessionView(normalised), hash);
  }
  // The same in a slot of the caller's choice, which is free. False when max_sessions live.
  bool insert_at(std::uint32_t id, const SessionView& session, std::uint64_t hash) {
    if (live_ >= max_live_) return false;
    fill(id, session, hash);
    return true;
  }
  void set_state(std::uint32_t id, const SessionView& session) {  // of the same key
    CompactSession& c = slots_[id].session;
    if (c.side_kind() != Side::none) side_.remove(c, id);
    c = session.compact;
    if (session.whole != nullptr) side_.put(session, id, c);
  }
  void move(std::uint32_t from, std::uint32_t to);  // live -> free; without notes
  std::uint32_t any_free() {  // a free slot, lowest first; kNone when there is none
    const std::uint32_t id = map_.first_free(high_water_);
    if (id != kNone) return id;
    return high_water_ < capacity_ ? high_water_ : kNone;
  }
  void bury(std::uint32_t id);     // live -> tombstone, still to be found by find_ended()
  void forget(std::uint32_t id);   // a tombstone is not to be found any more
  bool revive(std::uint32_t id);   // ended -> live; false when max_sessions live
  void release(std::uint32_t id);  // tombstone -> free
  void erase(std::uint32_t id) {
    bury(id);
    release(id);
  }

  Session session(std::uint32_t id) const;
  SessionKey key(std::uint32_t id) const { return session(id).key; }
  bool same_state(std::uint32_t id, const SessionView& session) const {
    const CompactSession& mine = slots_[id].session;
    if (session.whole == nullptr) return same_all(mine, session.compact);
    return same_whole(mine, id, session);
  }
  std::uint64_t digest_of_key(std::uint32_t id) const {
    const CompactSession& c = slots_[id].session;
    return c.ipv6() ? hash_of_ipv6(id, mixing::kC) : digest_key(c);
  }
  std::uint64_t digest_of(std::uint32_t id, std::uint64_t key_digest) const {
    const CompactSession& c = slots_[id].session;
    const bool compact = c.side_kind() == Side::none || c.side_kind() == Side::ipv6;
    return compact ? digest_session(key_digest, c) : digest_of_whole(id, key_digest);
  }
  // Whether the slot is one that the table could have written, and, of a live one, whether the
  // index leads to it. Memory errors make both untrue.
  bool well_formed(std::uint32_t id) const;
  bool reachable(std::uint32_t id) const;

  // For notes on a number whose slot may be free.
  Slot& slot_for_notes(std::uint32_t id) {
    if (id >= notes_end_) notes_end_ = id + 1;
    return slots_[id];
  }
  Slot& slot(std::uint32_t id) { return slots_[id]; }
  const Slot& slot(std::uint32_t id) const { return slots_[id]; }
  std::uint32_t size() const { return live_; }
  // Live sessions of each conntrack zone but 0, which most have.
  const std::map<std::uint16_t, std::uint32_t>& sizes_of_zones() const { return zones_; }
  std::uint32_t tombstones() const { return tombstones_; }
  std::uint32_t high_water() const { return high_water_; }  // slots ever used: ids are below it
  std::uint32_t capacity() const { return capacity_; }
  std::uint32_t max_sessions() const { return max_live_; }
  std::size_t memory() const;  // bytes in use

  std::uint16_t generation() const { return generation_; }
  std::uint16_t begin_generation();

 private:
  std::uint64_t hash_of_slot(std::uint32_t id) const {
    const CompactSession& c = slots_[id].session;
    return c.ipv6() ? hash_of_ipv6(id, secret_) : hash_key(c, secret_);
  }
  std::uint64_t hash_of_ipv6(std::uint32_t id, std::uint64_t secret) const;
  std::uint64_t digest_of_whole(std::uint32_t id, std::uint64_t key_digest) const;
  bool has_key(std::uint32_t id, const SessionView& session) const {
    const CompactSession& c = slots_[id].session;
    if (!same_inline_key(c, session.compact)) return false;
    return !c.ipv6() || has_addresses(id, session.whole->key.original);
  }
  bool has_addresses(std::uint32_t id, const Tuple& original) const;
  bool same_whole(const CompactSession& mine, std::uint32_t id, const SessionView& session) const;
  void fill(std::uint32_t id, const SessionView& session, std::uint64_t hash);
  void began(std::uint32_t id) {
    ++live_;
    if (const std::uint16_t zone = slots_[id].session.zone; zone != 0) ++zones_[zone];
  }
  void ended(std::uint32_t id) {
    --live_;
    if (const std::uint16_t zone = slots_[id].session.zone; zone != 0) leave_zone(zone);
  }
  void leave_zone(std::uint16_t zone);

  BucketIndex index_;
  LargeArray<Slot> slots_;
  SlotMap map_;
  SideStore side_;
  std::uint64_t secret_;
  std::uint32_t max_live_, capacity_;
  std::uint32_t live_ = 0, tombstones_ = 0, high_water_ = 0, notes_end_ = 0;
  std::uint16_t generation_ = 1;
  std::map<std::uint16_t, std::uint32_t> zones_;
};

inline void SessionTable::fill(std::uint32_t id, const SessionView& session, std::uint64_t hash) {
  HOTPAIR_ASSERT(id < capacity_ && !map_.used(id));
  Slot& s = slots_[id];
  s.session = session.compact;
  if (session.whole != nullptr) side_.put(session, id, s.session);
  s.digest = 0;
  s.presence_and_mark = static_cast<std::uint8_t>(Slot::Presence::live);
  map_.take(id);
  if (id >= high_water_) high_water_ = id + 1;
  index_.insert(hash, id);
  began(id);
}

}  // namespace hotpair::dataplane
