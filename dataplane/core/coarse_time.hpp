// Time in 32 bits, for slots: steps of 65,536 ns, which wrap after 78 hours; only ages matter.
#pragma once

#include <cstdint>

#include "platform/base/time.hpp"

namespace hotpair::dataplane {

constexpr Duration kCoarseStep{1 << 16};

constexpr std::uint32_t coarse(Instant at) {
  return static_cast<std::uint32_t>(at.time_since_epoch().count() / kCoarseStep.count());
}
constexpr std::uint32_t older(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b) < 0 ? a : b;
}
// At least the true age less one step.
constexpr Duration coarse_age(std::uint32_t since, Instant now) {
  return static_cast<std::int32_t>(coarse(now) - since) * kCoarseStep;
}

}  // namespace hotpair::dataplane
