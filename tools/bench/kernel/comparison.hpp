// Whether the kernels of both boxes hold the same sessions, entry by entry.
#pragma once

#include <cstdint>

#include "tools/bench/kernel/two_boxes.hpp"

namespace hotpair::bench::kernel {

struct Comparison {
  std::uint64_t first = 0, second = 0;  // sessions of each
  std::uint64_t missing = 0;            // of the first in the second
  std::uint64_t left_over = 0;          // in the second, and not in the first
  std::uint64_t different = 0;          // in anything but the timeout
  bool equal() const { return missing + left_over + different == 0; }
};

Result<Comparison> compare_kernels(const TwoBoxes& boxes);

}  // namespace hotpair::bench::kernel
