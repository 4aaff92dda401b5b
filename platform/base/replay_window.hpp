// Accepts each 64-bit counter once and refuses what is older than the window (the scheme of RFC
// 6479: a ring of words, no shifting). One window a sender, key and path; call only after the tag
// verified.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace hotpair {

template <std::size_t WindowBits = 4096>
class ReplayWindow {
  static constexpr std::size_t kWordBits = 64;
  static constexpr std::size_t kWords = WindowBits / kWordBits;
  static_assert(kWords >= 2 && (kWords & (kWords - 1)) == 0, "a power of two, two words at least");
  // One word is always in transition, so this many counters below the newest are still accepted.
  static constexpr std::uint64_t kUsable = WindowBits - kWordBits;

 public:
  // True when `counter` was never accepted before and is not too old; it is then remembered.
  bool accept(std::uint64_t counter) {
    if (counter < newest_ && newest_ - counter > kUsable) return false;
    const std::uint64_t word = counter / kWordBits;
    if (counter > newest_ || !any_) {
      advance_to(word);
      newest_ = counter;
      any_ = true;
    }
    std::uint64_t& bits = words_[word % kWords];
    const std::uint64_t bit = std::uint64_t{1} << (counter % kWordBits);
    if (bits & bit) return false;
    bits |= bit;
    return true;
  }
  void reset() { *this = ReplayWindow{}; }

 private:
  void advance_to(std::uint64_t word) {
    const std::uint64_t from = newest_ / kWordBits;
    const std::uint64_t steps = word - from < kWords ? word - from : kWords;
    for (std::uint64_t i = 0; i < steps; ++i) words_[(word - i) % kWords] = 0;
  }

  std::array<std::uint64_t, kWords> words_{};
  std::uint64_t newest_ = 0;
  bool any_ = false;
};

}  // namespace hotpair
