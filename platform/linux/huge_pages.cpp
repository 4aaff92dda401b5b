#include "platform/linux/huge_pages.hpp"

#include <cstdint>

#include <sys/mman.h>
#include <sys/sysinfo.h>

namespace hotpair::sys {

namespace {

constexpr std::size_t kPage = 4096;
// Smaller arrays fit the translation caches as they are.
constexpr std::size_t kWorthwhile = std::size_t{4} << 20;

struct Range {
  void* begin = nullptr;
  std::size_t bytes = 0;
};

// The whole pages of it.
Range pages_of(void* memory, std::size_t bytes) {
  const auto begin = (reinterpret_cast<std::uintptr_t>(memory) + kPage - 1) / kPage * kPage;
  const auto end = (reinterpret_cast<std::uintptr_t>(memory) + bytes) / kPage * kPage;
  return {reinterpret_cast<void*>(begin), end > begin ? end - begin : 0};
}

std::size_t free_bytes() {
  struct sysinfo info {};
  if (sysinfo(&info) != 0) return 0;
  return std::size_t{info.freeram} * info.mem_unit;
}

}  // namespace

void prefer_huge_pages(void* memory, std::size_t bytes) {
  if (bytes < kWorthwhile) return;
  const Range pages = pages_of(memory, bytes);
  (void)madvise(pages.begin, pages.bytes, MADV_HUGEPAGE);
}

void take_huge_pages(void* memory, std::size_t bytes) {
  prefer_huge_pages(memory, bytes);
  const Range pages = pages_of(memory, bytes);
  // Since Linux 5.14; an older kernel gives them one by one, as before.
  if (pages.bytes < free_bytes() / 4) (void)madvise(pages.begin, pages.bytes, MADV_POPULATE_WRITE);
}

}  // namespace hotpair::sys
