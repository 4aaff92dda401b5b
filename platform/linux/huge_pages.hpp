// Memory in larger pieces, for tables that are read at random.
#pragma once

#include <cstddef>

namespace hotpair::sys {

// Asks the kernel to back the range with huge pages where it has some (transparent hugepages, mode
// madvise or always). Without them nothing is lost but speed: a lookup in a table of hundreds of
// megabytes then often waits for the page table too.
void prefer_huge_pages(void* memory, std::size_t bytes);

// The same, and has the kernel give the pages now. One that is given when it is first touched holds
// up whoever touches it: a huge one for 0.1 ms, on a virtual machine whose host has to find the
// memory first for milliseconds. Leaves ranges as they are that would take more than a quarter of
// the memory that is free.
void take_huge_pages(void* memory, std::size_t bytes);

}  // namespace hotpair::sys
