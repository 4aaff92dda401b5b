// Hash index from a 32-bit hash to slots of the session table: open addressing with linear probing,
// eight bytes an entry, at most 5/8 full. It grows by doubling, and moves a few entries with each
// later insert instead of all at once, so no insert ever stalls. Keys are compared by the caller,
// in the slots.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>

namespace hotpair::dataplane {

class KeyIndex {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;

  KeyIndex();

  // The slot for which equals(slot) holds among those with this hash; kNone when there is none.
  template <typename Equals>
  std::uint32_t find(std::uint32_t hash, Equals&& equals) const {
    const std::uint32_t slot = current_.find(hash, equals);
    return slot != kNone || !previous_.entries ? slot : previous_.find(hash, equals);
  }
  struct Found {
    std::uint32_t hash = 0, slot = kNone;
  };
  // Any whose hash is this under the mask, which keeps the high bits that say where to look (24 are
  // more than any size needs).
  Found find_masked(std::uint32_t hash, std::uint32_t mask) const {
    const Found found = current_.find_masked(hash, mask);
    return found.slot != kNone || !previous_.entries ? found : previous_.find_masked(hash, mask);
  }
  void insert(std::uint32_t hash, std::uint32_t slot);  // the pair is not there yet
  void erase(std::uint32_t hash, std::uint32_t slot);   // the pair is there
  std::size_t memory() const {
    return sizeof(Entry) * (std::size_t{current_.mask()} + 1 +
                            (previous_.entries ? std::size_t{previous_.mask()} + 1 : 0));
  }

 private:
  // A slot number plus two; 0 never used, 1 used once (a probe must go on past it).
  struct Entry {
    std::uint32_t hash;
    std::uint32_t value;
  };
  static constexpr std::uint32_t kUnused = 0, kVacated = 1, kFirst = 2;
  struct Free {
    void operator()(Entry* p) const { std::free(p); }
  };
  struct Array {
    std::unique_ptr<Entry[], Free> entries;
    std::uint32_t log2 = 0;
    std::uint32_t used = 0;

    explicit Array(std::uint32_t log2_size = 0);
    std::uint32_t mask() const { return (1u << log2) - 1; }
    std::uint32_t home(std::uint32_t hash) const { return hash >> (32 - log2); }
    template <typename Equals>
    std::uint32_t find(std::uint32_t hash, Equals&& equals) const {
      for (std::uint32_t at = home(hash);; at = (at + 1) & mask()) {
        const Entry& entry = entries[at];
        if (entry.value == kUnused) return kNone;
        if (entry.hash == hash && entry.value >= kFirst && equals(entry.value - kFirst))
          return entry.value - kFirst;
      }
    }
    Found find_masked(std::uint32_t hash, std::uint32_t bits) const {
      for (std::uint32_t at = home(hash);; at = (at + 1) & mask()) {
        const Entry& entry = entries[at];
        if (entry.value == kUnused) return {};
        if ((entry.hash & bits) == hash && entry.value >= kFirst)
          return {entry.hash, entry.value - kFirst};
      }
    }
    std::uint32_t position(std::uint32_t hash, std::uint32_t slot) const;  // kNone when not there
    void insert(std::uint32_t hash, std::uint32_t value);
    void erase_at(std::uint32_t at);  // closes the gap: later entries of the chain move up
  };

  void grow();
  void move_some();

  Array current_, previous_;  // previous_ is empty but while entries move
  std::uint32_t moved_ = 0;   // positions of previous_ already emptied
};

}  // namespace hotpair::dataplane
