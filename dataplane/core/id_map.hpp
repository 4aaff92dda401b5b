// The backup's notes on the primary's session ids: the frame that last named each, and the slot
// that holds the session. 16 bytes an id, allocated 4096 ids at a time, none beyond the limit.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace hotpair::dataplane {

struct IdNote {
  std::uint64_t sequence = 0;  // of the newest frame that named it
  std::uint32_t slot = 0xffffffff;
  std::uint32_t stream = 0;  // notes of another stream mean nothing
};

class IdMap {
 public:
  explicit IdMap(std::uint32_t limit) : limit_(limit) {}

  // The note of `id`, fresh when it was last used in another stream; null when the id is out of
  // range.
  IdNote* find(std::uint32_t id, std::uint32_t stream) {
    if (id >= limit_) return nullptr;
    if (id / kChunk >= chunks_.size()) chunks_.resize(id / kChunk + 1);
    auto& chunk = chunks_[id / kChunk];
    if (!chunk) chunk = std::make_unique<IdNote[]>(kChunk);
    IdNote& note = chunk[id % kChunk];
    if (note.stream != stream) note = {.sequence = 0, .slot = 0xffffffff, .stream = stream};
    return &note;
  }
  void prefetch(std::uint32_t id) const {
    if (id / kChunk < chunks_.size() && chunks_[id / kChunk])
      __builtin_prefetch(&chunks_[id / kChunk][id % kChunk]);
  }

 private:
  static constexpr std::uint32_t kChunk = 4096;
  std::uint32_t limit_;
  std::vector<std::unique_ptr<IdNote[]>> chunks_;
};

}  // namespace hotpair::dataplane
