// Durations as numbers for reports.
#pragma once

#include <cmath>

#include "platform/base/time.hpp"

namespace hotpair::bench {

// Milliseconds with three decimals.
inline double milliseconds(Duration d) {
  return std::round(static_cast<double>(d.count()) / 1e3) / 1e3;
}

}  // namespace hotpair::bench
