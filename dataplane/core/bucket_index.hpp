// The index from keys to slots: lines of 64 bytes, one cache line each, with up to twelve slots and
// a fingerprint of fifteen bits for each. A lookup reads one line; the few entries that find their
// line full are in a small index of their own, which is read only where a line says so.
//
// It has its full size from the start, a line for every six slots: eleven bytes a session of a full
// table. So nothing ever moves, and of a full table's entries two in a thousand are elsewhere. Keys
// are compared by the caller, in the slots.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dataplane/core/key_index.hpp"
#include "dataplane/core/large_array.hpp"

namespace hotpair::dataplane {

class BucketIndex {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;
  static constexpr unsigned kIdBits = 25;

  explicit BucketIndex(std::uint32_t capacity, MemoryAdvice advise = nullptr)
      : count_(capacity / kWanted + 1), lines_(count_, advise) {}

  void prefetch(std::uint64_t hash) const { __builtin_prefetch(&lines_[line_of(hash)], 0, 2); }
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
    return overflow_.find(overflow_hash(at, fingerprint(hash)), equals);
  }
  // The pair is not there yet.
  void insert(std::uint64_t hash, std::uint32_t id) { put(line_of(hash), fingerprint(hash), id); }
  // False when the pair is not there. hash_of(slot) yields the hash of any slot in the index.
  template <typename HashOf>
  bool erase(std::uint64_t hash, std::uint32_t id, HashOf&& hash_of) {
    const std::uint32_t at = line_of(hash);
    if (!take_out(at, fingerprint(hash), id)) return false;
    Line& line = lines_[at];
    if (line.overflow == 0 || line.count == kPlaces) return true;
    const KeyIndex::Found back = any_elsewhere(at);
    drop_overflow(at, back);
    put(at, fingerprint(hash_of(back.slot)), back.slot);
    return true;
  }
  std::size_t memory() const { return std::size_t{count_} * sizeof(Line) + overflow_.memory(); }

 private:
  static constexpr std::uint32_t kPlaces = 12;
  static constexpr std::uint32_t kWanted = 6;  // entries a line on average, when all are used
  static constexpr unsigned kPrintLow = 7;     // bits of the fingerprint beside the slot

  struct alignas(64) Line {
    std::array<std::uint32_t, kPlaces> entries;  // slot, above it the low bits of the fingerprint
    std::array<std::uint8_t, kPlaces> tags;      // the high bits
    std::uint8_t count, overflow;                // entries here; entries elsewhere
  };
  static_assert(sizeof(Line) == 64);

  // The line is chosen by the high half of the hash.
  static std::uint32_t fingerprint(std::uint64_t hash) {
    return static_cast<std::uint32_t>(hash) & 0x7fffu;
  }
  std::uint32_t line_of(std::uint64_t hash) const {
    return static_cast<std::uint32_t>((hash >> 32) * count_ >> 32);
  }
  static std::uint32_t entry_of(std::uint32_t print, std::uint32_t id) {
    return (print & 0x7fu) << kIdBits | id;
  }
  static std::uint32_t id_of(std::uint32_t entry) { return entry & ((1u << kIdBits) - 1); }
  // High bits for the line, low ones of the fingerprint, so that few other slots are looked into.
  static constexpr std::uint32_t kOverflowPrint = 0x0f;
  static std::uint32_t overflow_hash(std::uint32_t line, std::uint32_t print) {
    return (line * 0x9e3779b1u & ~kOverflowPrint) | (print & kOverflowPrint);
  }
  KeyIndex::Found any_elsewhere(std::uint32_t line) const {
    return overflow_.find_masked(overflow_hash(line, 0), ~kOverflowPrint);
  }
  // A bit for each entry whose tag is this byte, and for some others: where a byte of one follows
  // an equal one, it is taken for equal too.
  static std::uint32_t tagged(const Line& line, std::uint32_t tag) {
    static_assert(std::endian::native == std::endian::little, "the first tag is the lowest byte");
#ifdef __SSE2__
    static_assert(offsetof(Line, tags) + 16 == sizeof(Line), "sixteen bytes can be read");
    using Sixteen [[gnu::vector_size(16)]] = char;
    Sixteen tags;
    std::memcpy(&tags, reinterpret_cast<const char*>(&line) + offsetof(Line, tags), sizeof tags);
    const auto equal = std::bit_cast<Sixteen>(tags == Sixteen{} + static_cast<char>(tag));
    return static_cast<std::uint32_t>(__builtin_ia32_pmovmskb128(equal)) & ((1u << line.count) - 1);
#else
    constexpr std::uint64_t kOnes = 0x0101010101010101u, kHighs = 0x8080808080808080u;
    std::uint64_t low = 0, high = 0;
    std::memcpy(&low, line.tags.data(), 8);
    std::memcpy(&high, line.tags.data() + 8, 4);
    low ^= tag * kOnes;
    high ^= tag * kOnes;
    low = (low - kOnes) & ~low & kHighs;
    high = (high - kOnes) & ~high & kHighs;
    // The high bits of eight bytes become the eight bits of the highest one.
    constexpr std::uint64_t kGather = 0x0002040810204081u;
    const std::uint64_t both = low * kGather >> 56 | (high * kGather >> 56) << 8;
    return static_cast<std::uint32_t>(both) & ((1u << line.count) - 1);
#endif
  }
  template <typename Equals>
  static std::uint32_t matching(const Line& line, std::uint64_t hash, Equals&& equals) {
    const std::uint32_t print = fingerprint(hash);
    for (std::uint32_t left = tagged(line, print >> kPrintLow); left != 0; left &= left - 1) {
      const std::uint32_t entry = line.entries[static_cast<unsigned>(std::countr_zero(left))];
      if (entry >> kIdBits == (print & 0x7fu) && equals(id_of(entry))) return id_of(entry);
    }
    return kNone;
  }

  void put(std::uint32_t at, std::uint32_t print, std::uint32_t id) {
    Line& line = lines_[at];
    if (line.count == kPlaces) return put_elsewhere(at, print, id);
    line.entries[line.count] = entry_of(print, id);
    line.tags[line.count] = static_cast<std::uint8_t>(print >> kPrintLow);
    ++line.count;
  }
  void put_elsewhere(std::uint32_t at, std::uint32_t print, std::uint32_t id);
  bool take_out(std::uint32_t line, std::uint32_t print, std::uint32_t id);
  void drop_overflow(std::uint32_t line, const KeyIndex::Found& entry);

  std::uint32_t count_;
  LargeArray<Line> lines_;
  KeyIndex overflow_;
};

}  // namespace hotpair::dataplane
