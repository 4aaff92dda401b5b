#include "dataplane/core/session_table.hpp"

#include <algorithm>

#include "dataplane/core/session_key.hpp"
#include "platform/base/assert.hpp"

namespace hotpair::dataplane {
namespace {

std::uint32_t live_limit(std::uint32_t max_sessions) {
  return std::clamp(max_sessions, 1u, SessionTable::kMaxCapacity / 2);
}
std::uint32_t capacity_for(std::uint32_t live) {
  return live + live / 4 + 1;
}

}  // namespace

SessionTable::SessionTable(std::uint32_t max_sessions, std::uint64_t secret, MemoryAdvice advise)
    : index_(live_limit(max_sessions), advise),
      slots_(capacity_for(live_limit(max_sessions)), advise),
      map_(capacity_for(live_limit(max_sessions))),
      secret_(secret),
      max_live_(live_limit(max_sessions)),
      capacity_(capacity_for(max_live_)) {}

std::uint64_t SessionTable::hash(const SessionKey& key) const {
  return hash_key(key, secret_);
}

std::uint32_t SessionTable::find(const SessionKey& key, std::uint64_t hash) const {
  const Session session{.key = key, .state = {}};
  return find(SessionView(session), hash);
}

std::uint32_t SessionTable::find_ended(const SessionView& session, std::uint64_t hash) const {
  if (tombstones_ == 0) return kNone;
  return index_.find(hash, [&](std::uint32_t id) {
    const Slot& s = slots_[id];
    return s.presence() == Slot::Presence::ended && s.generation == generation_ &&
           has_key(id, session);
  });
}

void SessionTable::move(std::uint32_t from, std::uint32_t to) {
  HOTPAIR_ASSERT(slots_[from].live() && to < capacity_ && !map_.used(to));
  const std::uint64_t hash = hash_of_slot(from);
  (void)index_.erase(hash, from, [this](std::uint32_t other) { return hash_of_slot(other); });
  Slot &source = slots_[from], &target = slots_[to];
  target.session = source.session;
  target.digest = source.digest;
  target.presence_and_mark = source.presence_and_mark;
  side_.change_owner(target.session, from, to);
  source.set_presence(Slot::Presence::free);
  map_.give_back(from);
  map_.take(to);
  high_water_ = std::max(high_water_, to + 1);
  index_.insert(hash, to);
}

void SessionTable::bury(std::uint32_t id) {
  Slot& s = slots_[id];
  HOTPAIR_ASSERT(s.live());
  s.set_presence(Slot::Presence::ended);
  ended(id);
  ++tombstones_;
}

// A zone that a memory error made is not there to be left.
void SessionTable::leave_zone(std::uint16_t zone) {
  const auto found = zones_.find(zone);
  if (found != zones_.end() && --found->second == 0) zones_.erase(found);
}

// A damaged key is not where the index has it: that place then leads to a slot of another key,
// which every lookup passes over.
void SessionTable::forget(std::uint32_t id) {
  Slot& s = slots_[id];
  if (s.presence() != Slot::Presence::ended) return;
  (void)index_.erase(hash_of_slot(id), id,
                     [this](std::uint32_t other) { return hash_of_slot(other); });
  s.set_presence(Slot::Presence::tombstone);
}

bool SessionTable::revive(std::uint32_t id) {
  Slot& s = slots_[id];
  HOTPAIR_ASSERT(s.presence() == Slot::Presence::ended);
  if (live_ >= max_live_) return false;
  s.set_presence(Slot::Presence::live);
  began(id);
  --tombstones_;
  return true;
}

void SessionTable::release(std::uint32_t id) {
  Slot& s = slots_[id];
  HOTPAIR_ASSERT(s.tombstone());
  forget(id);
  side_.remove(s.session, id);
  s.session = CompactSession{};
  s.set_presence(Slot::Presence::free);
  map_.give_back(id);
  --tombstones_;
}

Session SessionTable::session(std::uint32_t id) const {
  return side_.expanded(slots_[id].session, id);
}

bool SessionTable::same_whole(const CompactSession& mine, std::uint32_t id,
                              const SessionView& session) const {
  CompactSession beside = mine;
  beside.side = 0;
  return same_all(beside, session.compact) && this->session(id).state == session.whole->state;
}

bool SessionTable::has_addresses(std::uint32_t id, const Tuple& original) const {
  const SideStore::Ends* ends = side_.addresses(slots_[id].session, id);
  return ends != nullptr && ends->src == original.src && ends->dst == original.dst;
}

std::uint64_t SessionTable::hash_of_ipv6(std::uint32_t id, std::uint64_t secret) const {
  static constexpr SideStore::Ends kLost{};
  const CompactSession& c = slots_[id].session;
  const SideStore::Ends* ends = side_.addresses(c, id);
  if (ends == nullptr) ends = &kLost;
  return hash_key(c, ends->src, ends->dst, secret);
}

std::uint64_t SessionTable::digest_of_whole(std::uint32_t id, std::uint64_t key_digest) const {
  return digest_session(key_digest, session(id));
}

bool SessionTable::well_formed(std::uint32_t id) const {
  const CompactSession& c = slots_[id].session;
  if ((c.form & ~(CompactSession::kSideBits | CompactSession::kIpv6)) != 0) return false;
  if (c.ipv6() && (c.src | c.dst) != 0) return false;
  return (c.side == 0) == (c.side_kind() == Side::none);
}

bool SessionTable::reachable(std::uint32_t id) const {
  return well_formed(id) &&
         index_.find(hash_of_slot(id), [id](std::uint32_t other) { return other == id; }) == id;
}

std::size_t SessionTable::memory() const {
  return index_.memory() + std::size_t{high_water_} * sizeof(Slot) + side_.memory() + capacity_ / 8;
}

std::uint16_t SessionTable::begin_generation() {
  if (++generation_ != 0) return generation_;
  // The numbers are used up: forget the notes one by one, so that none of 65,535 streams ago seems
  // valid.
  const std::uint32_t end = std::max(high_water_, notes_end_);
  for (std::uint32_t id = 0; id < end; ++id) slots_[id].generation = 0;
  return generation_ = 1;
}

}  // namespace hotpair::dataplane
