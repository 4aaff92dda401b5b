// How often this program has allocated so far, for tests that a step allocates nothing.
#pragma once

#include <cstddef>

namespace hotpair {

std::size_t allocation_count();

}  // namespace hotpair
