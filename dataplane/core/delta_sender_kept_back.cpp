// What is not to be sent yet: sessions too young to be worth it, and what connections that close go
// through.
#include "dataplane/core/delta_sender.hpp"

namespace hotpair::dataplane {

using namespace sender_flags;

void DeltaSender::release_delayed(Instant now) {
  while (!delayed_.empty()) {
    const IdQueue::Entry entry = delayed_.front();
    Slot& slot = table_.slot(entry.id);
    const bool valid =
        adopted(slot) && (slot.flags & kKeptBack) && slot.digest == 0 && slot.frame == entry.since;
    if (valid && coarse_age(entry.since, now) < delay_) return;
    delayed_.pop();
    if (!valid) continue;
    slot.flags = static_cast<std::uint8_t>(slot.flags & ~kKeptBack);
    make_dirty(entry.id, now);
  }
}

// Kept back when it was told before and nothing else of it waits to be told.
void DeltaSender::changed_closing(Slot& slot, std::uint32_t id, Instant now) {
  if (slot.digest == 0 || (slot.flags & (kDirty | kRetold)) || closing_.size() >= table_.capacity())
    return make_dirty(slot, id, now);
  if (slot.flags & kKeptBack) {
    ++counters_.coalesced;
    return;
  }
  slot.flags |= kKeptBack;
  closing_.push(id, coarse(now));
}

// An entry of an earlier time that the session was kept back only ends a later one sooner.
void DeltaSender::release_closing(Instant now, Duration least_age) {
  while (!closing_.empty() && coarse_age(closing_.front().since, now) >= least_age) {
    const std::uint32_t id = closing_.front().id;
    closing_.pop();
    Slot& slot = table_.slot(id);
    if (!adopted(slot) || !(slot.flags & kKeptBack) || slot.digest == 0) continue;
    slot.flags = static_cast<std::uint8_t>(slot.flags & ~kKeptBack);
    make_dirty(slot, id, now);
  }
}

}  // namespace hotpair::dataplane
