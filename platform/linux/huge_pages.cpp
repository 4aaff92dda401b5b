#include "platform/linux/huge_pages.hpp"

#include <cstdint>

#include <sys/mman.h>

namespace hotpair::sys {

namespace {

constexpr std::size_t kPage = 4096;
// Smaller arrays fit the translation caches as they are.
constexpr std::size_t kWorthwhile = std::size_t{16} << 20;

}  // namespace

void prefer_huge_pages(void* memory, std::size_t bytes) {
  if (bytes < kWorthwhile) return;
  const auto begin = (reinterpret_cast<std::uintptr_t>(memory) + kPage - 1) / kPage * kPage;
  const auto end = (reinterpret_cast<std::uintptr_t>(memory) + bytes) / kPage * kPage;
  (void)madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

}  // namespace hotpair::sys
