// The sessions of one node, in numbered slots found by key. A slot's number does not change while
// the session lives and is its id on the wire. 136 bytes a slot, 13 to 26 bytes of index a session;
// slots are allocated 4096 at a time as they are needed and never given back, so memory follows the
// largest number of sessions seen and ends at the capacity. One thread.
//
// A slot is free, live (its key is in the index) or a tombstone (the session ended, its id must not
// be used again before the backup acknowledged that). Sender and receiver keep their own notes in
// the slot; these mean something only while the slot's generation is the table's:
// begin_generation() forgets all notes at once, without touching a slot.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/core/key_index.hpp"
#include "dataplane/core/session.hpp"
#include "platform/base/assert.hpp"

namespace hotpair::dataplane {

struct Slot {
  enum class Presence : std::uint8_t { free, live, tombstone };

  Session session;
  std::uint64_t digest = 0;  // sender: of the state last sent, 0 none; receiver: of `session`
  std::uint32_t hash = 0;    // of the key, as the index knows it
  std::uint32_t wire =
      0;  // sender: low bits of the last frame that named it; receiver: the peer's id
  std::uint32_t next = 0, prev = 0;  // of the one list it is on (free, fresh, delayed)
  std::uint32_t since = 0;           // sender: when it was put on the list, in CoarseTime
  std::uint16_t generation = 0;
  std::uint8_t flags = 0;  // the sender's
  // Presence in the low 2 bits, the kernel dump's mark in the next 5, born() in the highest.
  std::uint8_t presence_and_mark = 0;

  Presence presence() const { return static_cast<Presence>(presence_and_mark & 3u); }
  bool live() const { return presence() == Presence::live; }
  bool tombstone() const { return presence() == Presence::tombstone; }
  std::uint8_t dump_mark() const { return presence_and_mark >> 2 & 31u; }
  // It began while this node was the primary, and no backup has acknowledged it yet.
  bool born() const { return (presence_and_mark & 0x80u) != 0; }
  void set_presence(Presence p) {
    presence_and_mark =
        static_cast<std::uint8_t>((presence_and_mark & 0xfcu) | static_cast<unsigned>(p));
  }
  void set_born(bool born) {
    presence_and_mark =
        static_cast<std::uint8_t>((presence_and_mark & 0x7fu) | (born ? 0x80u : 0u));
  }
  void set_dump_mark(std::uint8_t mark) {
    presence_and_mark =
        static_cast<std::uint8_t>((presence_and_mark & 0x83u) | (unsigned{mark} << 2));
  }
};
static_assert(sizeof(Slot) == 136, "two cache lines and the extras' pointer");

class SessionTable {
 public:
  static constexpr std::uint32_t kNone = KeyIndex::kNone;
  static constexpr std::uint32_t kMaxCapacity = 1u << 25;
  static constexpr std::uint8_t kDumpMarks = 32;

  // Room for `max_sessions` (at most 2^24) and, beyond them, a quarter as many tombstones.
  SessionTable(std::uint32_t max_sessions, std::uint64_t secret);

  std::uint32_t hash(const SessionKey& key) const;
  void prefetch(std::uint32_t hash) const { index_.prefetch(hash); }
  void prefetch_slot(std::uint32_t id) const {
    __builtin_prefetch(&slot(id));
    __builtin_prefetch(reinterpret_cast<const char*>(&slot(id)) + 64);
  }
  std::uint32_t find(const SessionKey& key) const { return find(key, hash(key)); }
  std::uint32_t find(const SessionKey& key, std::uint32_t hash) const;
  // A new live slot for a key that find() does not know; kNone when max_sessions live or no slot is
  // free.
  std::uint32_t insert(const Session& session, std::uint32_t hash);
  void bury(std::uint32_t id);     // live -> tombstone
  void release(std::uint32_t id);  // tombstone -> free
  void erase(std::uint32_t id) {
    bury(id);
    release(id);
  }

  Slot& slot(std::uint32_t id) { return chunks_[id / kChunk][id % kChunk]; }
  const Slot& slot(std::uint32_t id) const { return chunks_[id / kChunk][id % kChunk]; }
  std::uint32_t size() const { return live_; }
  std::uint32_t tombstones() const { return tombstones_; }
  std::uint32_t high_water() const { return high_water_; }  // slots ever used: ids are below it
  std::uint32_t capacity() const { return capacity_; }

  std::uint16_t generation() const { return generation_; }
  std::uint16_t begin_generation();

 private:
  static constexpr std::uint32_t kChunk = 4096;

  std::uint32_t take_slot();

  KeyIndex index_;
  std::vector<std::unique_ptr<Slot[]>> chunks_;
  std::uint64_t secret_;
  std::uint32_t max_live_, capacity_;
  std::uint32_t live_ = 0, tombstones_ = 0, high_water_ = 0, first_free_ = kNone;
  std::uint16_t generation_ = 1;
};

}  // namespace hotpair::dataplane
