#include "dataplane/core/bucket_index.hpp"

#include "platform/base/assert.hpp"

namespace hotpair::dataplane {

// Keyed hashes: nobody outside can choose keys that would ever make it more than a line counts.
void BucketIndex::put_elsewhere(std::uint32_t at, std::uint32_t print, std::uint32_t id) {
  HOTPAIR_ASSERT(lines_[at].overflow < 255);
  ++lines_[at].overflow;
  overflow_.insert(overflow_hash(at, print), id);
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
  const std::uint32_t hash = overflow_hash(at, print);
  if (overflow_.find(hash, [id](std::uint32_t other) { return other == id; }) == kNone)
    return false;
  drop_overflow(at, {hash, id});
  return true;
}

void BucketIndex::drop_overflow(std::uint32_t at, const KeyIndex::Found& entry) {
  HOTPAIR_ASSERT(entry.slot != kNone && lines_[at].overflow > 0);
  overflow_.erase(entry.hash, entry.slot);
  --lines_[at].overflow;
}

}  // namespace hotpair::dataplane
