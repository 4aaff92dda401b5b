// The index from keys to slots: lines of 64 bytes, one cache line each, with up to twelve slots and
// a fingerprint of fifteen bits for each. A lookup reads one line; the few entries that find their
// line full are in a small index of their own, which is read only where a line says so.
//
// It grows a line at a time (linear hashing: W. Litwin, 1980), so it never stalls and takes about
// thirteen bytes a session at any size; lines not yet split are up to twice as full as others, so
// that less would fill too many of them. Keys are compared by the caller, in the slots.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

#include "dataplane/core/key_index.hpp"
#include "dataplane/core/large_array.hpp"

namespace hotpair::dataplane {

class BucketIndex {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;
  static constexpr unsigned kIdBits = 25;

  explicit BucketIndex(std::uint32_t capacity, MemoryAdvice advise = nullptr)
      : lines_(capacity / kWanted + kFirstLines + 1, advise) {}

  void prefetch(std::uint64_t hash) const { __builtin_prefetch(&lines_[line_of(hash)]); }
  // The first slot that may be it, to be prefetched; kNone: none in the line.
  std::uint32_t candidate(std::uint64_t hash) const {
    std::uint32_t found = kNone;
    matching(lines_[line_of(hash)], hash, [&](std::uint32_t id) {
      found = id;
      return true;
    });
    return found;
  }
  // The slot for which equals(slot) holds among those that may have this hash; kNone: none.
  template <typename Equals>
  std::uint32_t find(std::uint64_t hash, Equals&& equals) const {
    const std::uint32_t at = line_of(hash);
    const std::uint32_t found = matching(lines_[at], hash, equals);
    if (found != kNone || lines_[at].overflow == 0) return found;
    return overflow_.find(overflow_hash(at), equals);
  }
  // The pair is not there yet. hash_of(slot) yields the hash of any slot in the index.
  template <typename HashOf>
  void insert(std::uint64_t hash, std::uint32_t id, HashOf&& hash_of) {
    put(line_of(hash), fingerprint(hash), id);
    if (++size_ > std::uint64_t{count_} * kWanted && count_ < lines_.size()) split(hash_of);
  }
  // False when the pair is not there.
  template <typename HashOf>
  bool erase(std::uint64_t hash, std::uint32_t id, HashOf&& hash_of) {
    const std::uint32_t at = line_of(hash);
    if (!take_out(at, fingerprint(hash), id)) return false;
    --size_;
    Line& line = lines_[at];
    if (line.overflow == 0 || line.count == kPlaces) return true;
    const std::uint32_t back =
        overflow_.find(overflow_hash(at), [](std::uint32_t) { return true; });
    drop_overflow(at, back);
    put(at, fingerprint(hash_of(back)), back);
    return true;
  }
  std::size_t memory() const { return std::size_t{count_} * sizeof(Line) + overflow_.memory(); }

 private:
  static constexpr std::uint32_t kPlaces = 12;
  static constexpr std::uint32_t kWanted = 5;  // entries a line on average
  static constexpr std::uint32_t kFirstLevel = 3, kFirstLines = 1u << kFirstLevel;
  // The fingerprint is these bits of the hash on: above what chooses lines in tables so small that
  // their slots are in the cache anyway.
  static constexpr unsigned kPrintFrom = 13, kPrintLow = 7;

  struct alignas(64) Line {
    std::array<std::uint32_t, kPlaces> entries;  // slot, above it the low bits of the fingerprint
    std::array<std::uint8_t, kPlaces> tags;      // the high bits
    std::uint8_t count, overflow;                // entries here; entries elsewhere
  };
  static_assert(sizeof(Line) == 64);
  struct Moved {
    std::uint32_t print, id;
  };

  static std::uint32_t fingerprint(std::uint64_t hash) {
    return static_cast<std::uint32_t>(hash >> kPrintFrom) & 0x7fffu;
  }
  static std::uint32_t entry_of(std::uint32_t print, std::uint32_t id) {
    return (print & 0x7fu) << kIdBits | id;
  }
  static std::uint32_t id_of(std::uint32_t entry) { return entry & ((1u << kIdBits) - 1); }
  static std::uint32_t overflow_hash(std::uint32_t line) { return line * 0x9e3779b1u; }
  std::uint32_t line_of(std::uint64_t hash) const {
    const auto low = static_cast<std::uint32_t>(hash);
    const std::uint32_t at = low & ((2u << level_) - 1);
    return at < count_ ? at : low & ((1u << level_) - 1);
  }

  template <typename Equals>
  static std::uint32_t matching(const Line& line, std::uint64_t hash, Equals&& equals) {
    const std::uint32_t print = fingerprint(hash);
    for (std::uint32_t base = 0; base < line.count; base += 8) {
      // Bytes equal to the tag become zero, and those are found eight at a time; a byte of one
      // above a zero is taken for a zero too, which the comparison with the rest then refuses.
      std::uint64_t word = 0;
      std::memcpy(&word, line.tags.data() + base, base == 0 ? 8 : 4);
      word ^= (print >> kPrintLow) * 0x0101010101010101u;
      std::uint64_t zeros = (word - 0x0101010101010101u) & ~word & 0x8080808080808080u;
      for (; zeros != 0; zeros &= zeros - 1) {
        const auto i = base + static_cast<std::uint32_t>(std::countr_zero(zeros)) / 8;
        if (i >= line.count) break;
        const std::uint32_t entry = line.entries[i];
        if (entry >> kIdBits == (print & 0x7fu) && equals(id_of(entry))) return id_of(entry);
      }
    }
    return kNone;
  }

  template <typename HashOf>
  void split(HashOf&& hash_of) {
    const std::uint32_t from = count_ - (1u << level_), to = count_;
    const unsigned bit = level_;
    empty(from, hash_of);
    if (++count_ == 2u << level_) ++level_;
    for (const Moved& m : moved_) {
      const bool up = bit < kPrintFrom ? (hash_of(m.id) >> bit & 1) != 0
                                       : (m.print >> (bit - kPrintFrom) & 1) != 0;
      put(up ? to : from, m.print, m.id);
    }
  }
  template <typename HashOf>
  void empty(std::uint32_t at, HashOf&& hash_of) {
    moved_.clear();
    Line& line = lines_[at];
    for (std::uint32_t i = 0; i < line.count; ++i)
      moved_.push_back({line.entries[i] >> kIdBits | std::uint32_t{line.tags[i]} << kPrintLow,
                        id_of(line.entries[i])});
    line.count = 0;
    while (line.overflow > 0) {
      const std::uint32_t id =
          overflow_.find(overflow_hash(at), [](std::uint32_t) { return true; });
      drop_overflow(at, id);
      moved_.push_back({fingerprint(hash_of(id)), id});
    }
  }

  void put(std::uint32_t line, std::uint32_t print, std::uint32_t id);
  bool take_out(std::uint32_t line, std::uint32_t print, std::uint32_t id);
  void drop_overflow(std::uint32_t line, std::uint32_t id);

  LargeArray<Line> lines_;
  std::uint32_t count_ = kFirstLines, level_ = kFirstLevel;  // 2^level_ <= count_ < 2^(level_ + 1)
  std::uint64_t size_ = 0;
  KeyIndex overflow_;
  std::vector<Moved> moved_;  // while a line is split
};

}  // namespace hotpair::dataplane
