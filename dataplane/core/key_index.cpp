#include "dataplane/core/key_index.hpp"

#include <new>
#include <utility>

#include "platform/base/assert.hpp"

namespace hotpair::dataplane {
namespace {

constexpr std::uint32_t kFirstLog2 = 12;
constexpr std::uint32_t kMovesPerInsert = 16;  // emptied long before the larger array is full

}  // namespace

KeyIndex::Array::Array(std::uint32_t log2_size) : log2(log2_size) {
  if (log2 == 0) return;
  // calloc: the pages of a large array become memory one by one as they are used, without a stall.
  void* memory = std::calloc(std::size_t{1} << log2, sizeof(Entry));
  if (memory == nullptr) throw std::bad_alloc();
  entries.reset(static_cast<Entry*>(memory));
}

KeyIndex::KeyIndex() : current_(kFirstLog2), previous_(0) {}

std::uint32_t KeyIndex::Array::position(std::uint32_t hash, std::uint32_t slot) const {
  for (std::uint32_t at = home(hash); entries[at].value != kUnused; at = (at + 1) & mask())
    if (entries[at].value == slot + kFirst && entries[at].hash == hash) return at;
  return kNone;
}

void KeyIndex::Array::insert(std::uint32_t hash, std::uint32_t value) {
  std::uint32_t at = home(hash);
  while (entries[at].value >= kFirst) at = (at + 1) & mask();
  entries[at] = {hash, value};
  ++used;
}

void KeyIndex::Array::erase_at(std::uint32_t at) {
  // An entry may fill the gap when the gap lies between its home and its place.
  for (std::uint32_t next = (at + 1) & mask(); entries[next].value != kUnused;
       next = (next + 1) & mask()) {
    const std::uint32_t from_home = (next - home(entries[next].hash)) & mask();
    const std::uint32_t from_gap = (next - at) & mask();
    if (from_home < from_gap) continue;
    entries[at] = entries[next];
    at = next;
  }
  entries[at] = {0, kUnused};
  --used;
}

void KeyIndex::insert(std::uint32_t hash, std::uint32_t slot) {
  if (previous_.entries) move_some();
  if (std::uint64_t{current_.used} * 8 >= (std::uint64_t{5} << current_.log2)) grow();
  current_.insert(hash, slot + kFirst);
}

void KeyIndex::erase(std::uint32_t hash, std::uint32_t slot) {
  if (const std::uint32_t at = current_.position(hash, slot); at != kNone)
    return current_.erase_at(at);
  HOTPAIR_ASSERT(previous_.entries != nullptr);
  const std::uint32_t at = previous_.position(hash, slot);
  HOTPAIR_ASSERT(at != kNone);
  previous_.entries[at].value = kVacated;
}

void KeyIndex::grow() {
  HOTPAIR_ASSERT(!previous_.entries && current_.log2 < 31);
  previous_ = std::exchange(current_, Array(current_.log2 + 1));
  moved_ = 0;
}

void KeyIndex::move_some() {
  for (std::uint32_t i = 0; i < kMovesPerInsert; ++i) {
    Entry& entry = previous_.entries[moved_];
    if (entry.value >= kFirst) {
      current_.insert(entry.hash, entry.value);
      entry.value = kVacated;
    }
    if (++moved_ > previous_.mask()) {
      previous_ = Array(0);
      return;
    }
  }
}

}  // namespace hotpair::dataplane
