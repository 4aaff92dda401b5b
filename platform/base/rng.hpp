// A seeded random source (SplitMix64). The cores and the simulation draw only from one of these,
// handed to them at construction, so a seed repeats a run. Not for keys: see platform/linux/crypto.
#pragma once

#include <cstdint>

#include "platform/base/assert.hpp"

namespace hotpair {

// splitmix64's finalizer: each bit of the result depends on all of `x`.
constexpr std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

class Rng {
 public:
  explicit constexpr Rng(std::uint64_t seed) : state_(seed) {}

  constexpr std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    return mix(state_);
  }
  // Uniform in [0, bound); bound > 0.
  constexpr std::uint64_t below(std::uint64_t bound) {
    HOTPAIR_ASSERT(bound > 0);
    return next() % bound;
  }
  // True with probability numerator/denominator.
  constexpr bool chance(std::uint64_t numerator, std::uint64_t denominator) {
    return below(denominator) < numerator;
  }
  constexpr Rng fork() { return Rng(next()); }

 private:
  std::uint64_t state_;
};

}  // namespace hotpair
