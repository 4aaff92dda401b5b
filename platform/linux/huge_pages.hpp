// Memory in larger pieces, for tables that are read at random.
#pragma once

#include <cstddef>

namespace hotpair::sys {

// Asks the kernel to back the range with huge pages where it has some (transparent hugepages, mode
// madvise or always). Without them nothing is lost but speed: a lookup in a table of hundreds of
// megabytes then often waits for the page table too.
void prefer_huge_pages(void* memory, std::size_t bytes);

}  // namespace hotpair::sys
