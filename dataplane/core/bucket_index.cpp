#include "dataplane/core/bucket_index.hpp"

#include "platform/base/assert.hpp"

namespace hotpair::dataplane {

void BucketIndex::put(std::uint32_t at, std::uint32_t print, std::uint32_t id) {
  Line& line = lines_[at];
  if (line.count == kPlaces) {
    // Keyed hashes: nobody outside can choose keys that would ever make it so many.
    HOTPAIR_ASSERT(line.overflow < 255);
    ++line.overflow;
    overflow_.insert(overflow_hash(at), id);
    return;
  }
  line.entries[line.count] = entry_of(print, id);
  line.tags[line.count] = static_cast<std::uint8_t>(print >> kPrintLow);
  ++line.count;
}

bool BucketIndex::take_out(std::uint32_t at, std::uint32_t print, std::uint32_t id) {
  Line& line = lines_[at];
  const std::uint32_t wanted = entry_of(print, id);
  for (std::uint32_t i = 0; i < line.count; ++i) {
    if (line.entries[i] != wanted) continue;
    --line.count;
    line.entries[i] = line.entries[line.count];
    line.tags[i] = line.tags[line.count];
    return true;
  }
  if (line.overflow == 0) return false;
  const std::uint32_t found =
      overflow_.find(overflow_hash(at), [&](std::uint32_t other) { return other == id; });
  if (found == kNone) return false;
  drop_overflow(at, id);
  return true;
}

void BucketIndex::drop_overflow(std::uint32_t at, std::uint32_t id) {
  HOTPAIR_ASSERT(id != kNone && lines_[at].overflow > 0);
  overflow_.erase(overflow_hash(at), id);
  --lines_[at].overflow;
}

}  // namespace hotpair::dataplane
