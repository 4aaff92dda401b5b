// Which slots are in use: a bit each, and over every 64 of them one that says whether all are, so
// that a free one is found at once in a table of any size.
#pragma once

#include <bit>
#include <cstdint>

#include "dataplane/core/large_array.hpp"

namespace hotpair::dataplane {

class SlotMap {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;

  explicit SlotMap(std::uint32_t capacity) : used_(capacity / 64 + 1), full_(capacity / 4096 + 1) {}

  bool used(std::uint32_t id) const { return (used_[id / 64] >> (id % 64) & 1) != 0; }
  void prefetch(std::uint32_t id) const { __builtin_prefetch(&used_[id / 64], 1); }
  void take(std::uint32_t id) {
    used_[id / 64] |= bit(id);
    if (used_[id / 64] == ~std::uint64_t{0}) full_[id / 4096] |= bit(id / 64);
  }
  void give_back(std::uint32_t id) {
    used_[id / 64] &= ~bit(id);
    full_[id / 4096] &= ~bit(id / 64);
    if (id / 64 < hint_) hint_ = id / 64;
  }
  // The lowest slot below `limit` that is not in use; kNone when all are.
  std::uint32_t first_free(std::uint32_t limit) {
    for (std::uint32_t word = hint_; word * 64 < limit;) {
      const std::uint64_t open = ~full_[word / 64] >> (word % 64);
      if (open == 0) {
        word = (word / 64 + 1) * 64;
        continue;
      }
      hint_ = word + static_cast<std::uint32_t>(std::countr_zero(open));
      if (hint_ * 64 >= limit) return kNone;
      const std::uint32_t id =
          hint_ * 64 + static_cast<std::uint32_t>(std::countr_one(used_[hint_]));
      return id < limit ? id : kNone;
    }
    return kNone;
  }

 private:
  static std::uint64_t bit(std::uint32_t i) { return std::uint64_t{1} << (i % 64); }

  LargeArray<std::uint64_t> used_, full_;
  std::uint32_t hint_ = 0;  // no word before it has a free slot
};

}  // namespace hotpair::dataplane
