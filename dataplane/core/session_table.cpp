#include "dataplane/core/session_table.hpp"

#include <algorithm>

#include "dataplane/core/session_key.hpp"

namespace hotpair::dataplane {

SessionTable::SessionTable(std::uint32_t max_sessions, std::uint64_t secret)
    : secret_(secret),
      max_live_(std::clamp(max_sessions, 1u, kMaxCapacity / 2)),
      capacity_(max_live_ + max_live_ / 4 + 1) {
  chunks_.reserve(capacity_ / kChunk + 1);
}

std::uint32_t SessionTable::hash(const SessionKey& key) const {
  return hash_key(key, secret_);
}

std::uint32_t SessionTable::find(const SessionKey& key, std::uint32_t hash) const {
  return index_.find(hash, [&](std::uint32_t id) { return slot(id).session.key == key; });
}

std::uint32_t SessionTable::insert(const Session& session, std::uint32_t hash) {
  const std::uint32_t id = live_ < max_live_ ? take_slot() : kNone;
  if (id == kNone) return kNone;
  Slot& s = slot(id);
  s.session = session;
  s.digest = 0;
  s.hash = hash;
  s.generation = 0;  // no notes yet
  s.set_presence(Slot::Presence::live);
  s.set_born(false);
  index_.insert(hash, id);
  ++live_;
  return id;
}

std::uint32_t SessionTable::take_slot() {
  if (first_free_ != kNone) {
    const std::uint32_t id = first_free_;
    first_free_ = slot(id).next;
    return id;
  }
  if (high_water_ == capacity_) return kNone;
  if (high_water_ % kChunk == 0) chunks_.push_back(std::make_unique<Slot[]>(kChunk));
  return high_water_++;
}

void SessionTable::bury(std::uint32_t id) {
  Slot& s = slot(id);
  HOTPAIR_ASSERT(s.live());
  index_.erase(s.hash, id);
  s.set_presence(Slot::Presence::tombstone);
  --live_;
  ++tombstones_;
}

void SessionTable::release(std::uint32_t id) {
  Slot& s = slot(id);
  HOTPAIR_ASSERT(s.tombstone());
  s.set_presence(Slot::Presence::free);
  s.generation = 0;
  s.next = first_free_;
  first_free_ = id;
  --tombstones_;
}

std::uint16_t SessionTable::begin_generation() {
  if (++generation_ != 0) return generation_;
  // The numbers are used up: forget the notes one by one, so that none of 65,535 streams ago seems
  // valid.
  for (std::uint32_t id = 0; id < high_water_; ++id) slot(id).generation = 0;
  return generation_ = 1;
}

}  // namespace hotpair::dataplane
