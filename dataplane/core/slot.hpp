// One place of the session table: a compact session and the notes of whoever works on the table.
//
// A slot is free, live (its key is in the index) or a tombstone (the session ended, its id must not
// be used again before the backup acknowledged that). An ended session stays in the index until the
// backup is told, so that one that begins anew before takes up where it was. The notes mean
// something only while the slot's generation is the table's: begin_generation() forgets all of them
// at once, without touching a slot.
#pragma once

#include <cstdint>

#include "dataplane/core/compact_session.hpp"

namespace hotpair::dataplane {

struct Slot {
  enum class Presence : std::uint8_t { free, live, tombstone, ended };

  CompactSession session;
  std::uint64_t digest;      // sender: of the state last sent, 0 none; receiver: of `session`
  std::uint32_t frame;       // low bits of the number of the last frame that named it
  std::uint16_t generation;  // of the notes
  std::uint8_t flags;        // sender_flags, receiver_flags
  // Presence in the low 2 bits, the kernel dump's mark in the next 5, born() in the highest.
  std::uint8_t presence_and_mark;

  Presence presence() const { return static_cast<Presence>(presence_and_mark & 3u); }
  bool live() const { return presence() == Presence::live; }
  bool tombstone() const { return presence() >= Presence::tombstone; }
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
static_assert(sizeof(Slot) == 48, "four in three cache lines");

}  // namespace hotpair::dataplane
