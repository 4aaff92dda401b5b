// What the kernel reports, on its way into the table: events, expectations, the entries of a dump.
#include <algorithm>
#include <array>
#include <utility>

#include "dataplane/core/engine.hpp"
#include "dataplane/core/session_key.hpp"
#include "dataplane/core/untold.hpp"
#include "platform/base/assert.hpp"

namespace hotpair::dataplane {
namespace {

bool same_but_timeout(SessionState a, const SessionState& b) {
  a.timeout_s = b.timeout_s;
  return a == b;
}

void drop_expectations(Session& session) {
  if (!session.state.extras.has(Extras::kExpectations)) return;
  Extras extras = session.state.extras.copy();
  extras.drop(Extras::kExpectations);
  session.state.extras = SharedExtras::of(std::move(extras));
}

}  // namespace

// Of a session that is not assured not even the end is heard, where the kernel keeps it from us: so
// none may stay in the table.
bool Engine::admit(const Session& session) {
  switch (judge(pickup_, session)) {
    case Pickup::carry:
      return true;
    case Pickup::not_assured:
      ++counters_.not_carried_unassured;
      return false;
    case Pickup::disabled:
      ++counters_.not_carried_disabled;
      return false;
    case Pickup::protocol:
      ++counters_.not_carried_protocol;
      return false;
    case Pickup::udp_off:
      ++counters_.not_carried_udp;
      return false;
    case Pickup::icmp_off:
      ++counters_.not_carried_icmp;
      return false;
    case Pickup::sctp_off:
      ++counters_.not_carried_sctp;
      return false;
    case Pickup::link_local:
    case Pickup::excluded:
      ++counters_.not_carried_excluded;
      return false;
  }
  return false;
}

inline SessionView Engine::view_of(const Session& reported) {
  SessionView view;
  if (compact_alone(reported, view.compact)) return view;
  HOTPAIR_ASSERT(wholes_.size() < wholes_.capacity());
  wholes_.push_back(normalised(reported));
  return SessionView(wholes_.back());
}

// Calls work(session, place) for each, in order.
template <typename Work>
inline void Engine::locate_each(std::span<const SessionView> sessions, Work&& work) {
  in_turn(
      sessions.size(),
      [&](std::size_t i) {
        Place& place = places_[i % kPlaces];
        place.hash = table_.hash(sessions[i]);
        table_.prefetch(place.hash);
      },
      [&](std::size_t i) {
        Place& place = places_[i % kPlaces];
        place.candidate = table_.candidate(place.hash);
        if (place.candidate != SessionTable::kNone) table_.prefetch_slot(place.candidate);
      },
      [&](std::size_t i) { work(sessions[i], places_[i % kPlaces]); });
}

inline void Engine::upsert_admitted(const SessionView& session, std::uint64_t hash,
                                    std::uint32_t known, Instant now) {
  const std::uint32_t id = sender_.upsert(session, hash, known, now);
  if (id != SessionTable::kNone)
    table_.slot(id).set_dump_mark(dump_mark_);
  else
    overflow(true);
}

// A session that found no room: not in sync until a dump finds room for all.
void Engine::overflow(bool happened) {
  sender_.set_incomplete(happened);
  if (happened && !dumping_) dump_wanted_ = true;
}

// Whether the report leaves nothing out that is known of the session.
inline bool Engine::tells_all(const SessionView& report, std::uint32_t known) const {
  const bool state_told = (report.compact.status_and_state & 0x0f) != 0;
  return report.whole == nullptr && table_.slot(known).session.side_kind() == Side::none &&
         (state_told || !has_state(report.compact.protocol));
}

// What an event leaves untold, and what was told before it.
void Engine::complete(std::uint32_t known, Session& reported, Instant now) {
  if (known == SessionTable::kNone) return early_.claim(reported, now);
  const Untold untold =
      keep_untold(table_.session(known).state, reported.key.protocol, reported.state);
  if (dumping_) note_untold(reported.key, known, untold);
}

void Engine::upsert_incomplete(const SessionView& reported, std::uint64_t hash, std::uint32_t known,
                               Instant now) {
  Session all = expanded(reported);
  complete(known, all, now);
  all = normalised(all);
  upsert_judged(SessionView(all), hash, known, now);
}

inline void Engine::upsert_judged(const SessionView& session, std::uint64_t hash,
                                  std::uint32_t known, Instant now) {
  if (admit(session))
    upsert_admitted(session, hash, known, now);
  else if (known != SessionTable::kNone)
    sender_.remove(known, now);
}

inline void Engine::upsert_found(const SessionView& reported, const Place& place, Instant now) {
  ++counters_.events_upsert;
  const std::uint32_t known = find(reported, place);
  const bool corrections_wait = dumping_ && !inherited_in_dump_.empty();
  if (known != SessionTable::kNone ? corrections_wait || !tells_all(reported, known)
                                   : !early_.empty())
    upsert_incomplete(reported, place.hash, known, now);
  else
    upsert_judged(reported, place.hash, known, now);
}

void Engine::upsert(std::span<const SessionView> sessions, Instant now) {
  if (role_ != Role::primary) return;
  locate_each(sessions, [&](const SessionView& session, const Place& place) {
    upsert_found(session, place, now);
  });
}

void Engine::upsert(std::span<const Session> sessions, Instant now) {
  if (role_ != Role::primary) return;
  while (!sessions.empty()) {
    const auto some = sessions.first(std::min(sessions.size(), kGroup));
    wholes_.clear();
    group_.clear();
    for (const Session& session : some) group_.push_back(view_of(session));
    upsert(group_, now);
    sessions = sessions.subspan(some.size());
  }
}

// Unless the running dump was first to tell of it: then both speak of the same session.
void Engine::begin(const Session& session, Instant now) {
  if (role_ != Role::primary) return;
  const Session all = normalised(session);
  const SessionView view(all);
  const Place place = place_of(view);
  const std::uint32_t known = find(view, place);
  const bool gone =
      known != SessionTable::kNone && !(dumping_ && table_.slot(known).dump_mark() == dump_mark_);
  if (!gone || !admit(session)) return upsert(session, now);
  ++counters_.events_upsert;
  upsert_admitted(view, place.hash, known, now);
}

// While a dump runs, what was known before it began is not certain: its session may have ended, and
// another begun under that key, while events were lost.
void Engine::note_untold(const SessionKey& key, std::uint32_t known, Untold untold) {
  if (table_.slot(known).dump_mark() == dump_mark_)
    inherited_in_dump_.narrow(digest_key(key), untold);
  else if (!inherited_in_dump_.add(digest_key(key), untold))
    dump_wanted_ = true;
}

void Engine::destroy(std::span<const SessionKey> keys, Instant now) {
  if (role_ != Role::primary) return;
  while (!keys.empty()) {
    const auto some = keys.first(std::min(keys.size(), kGroup));
    wholes_.clear();
    group_.clear();
    for (const SessionKey& key : some) {
      Session session{.key = key, .state = {}};
      session.state.reply = reversed(key.original);
      group_.push_back(view_of(session));
    }
    locate_each(group_, [&](const SessionView& session, const Place& place) {
      destroy_found(session, place, now);
    });
    keys = keys.subspan(some.size());
  }
}

void Engine::destroy_found(const SessionView& session, const Place& place, Instant now) {
  ++counters_.events_destroy;
  if (dumping_) {
    const std::uint64_t digest = digest_key(expanded(session).key);
    // A session whose end is not remembered the dump may bring back; another dump will find it
    // gone.
    if (!ended_in_dump_.add(digest)) dump_wanted_ = true;
    inherited_in_dump_.forget(digest);
  }
  const std::uint32_t id = find(session, place);
  if (id != SessionTable::kNone) sender_.remove(id, now);
}

void Engine::expectation(const SessionKey& reported, const Expectation& expectation, bool gone,
                         Instant now) {
  if (role_ != Role::primary) return;
  if (!pickup_.enabled || !pickup_.expectations) {
    ++counters_.not_carried_expectations;
    return;
  }
  const SessionKey key = normalised({.key = reported, .state = {}}).key;
  const std::uint32_t known = table_.find(key);
  if (known == SessionTable::kNone) {
    if (gone)
      early_.forget(key, expectation);
    else
      counters_.expectations_unknown += early_.add(key, expectation, now);
    return;
  }
  Session session = table_.session(known);
  if (!with_expectation(session.state.extras, expectation, gone, session.state.extras)) {
    ++counters_.expectations_too_many;
    return;
  }
  ++counters_.events_expectation;
  if (dumping_) note_untold(key, known, static_cast<Untold>(~Extras::kExpectations));
  upsert_admitted(session, known, now);
}

void Engine::begin_dump() {
  dumping_ = role_ == Role::primary;
  dump_wanted_ = false;
  overflow(false);
  reconcile_at_.reset();
  ended_in_dump_.clear();
  inherited_in_dump_.clear();
  dump_mark_ = static_cast<std::uint8_t>((dump_mark_ + 1) % SessionTable::kDumpMarks);
}

void Engine::dump_entry(const Session& reported, Instant now) {
  if (!dumping_) return;
  Session entry = normalised(reported);
  if (!pickup_.expectations) drop_expectations(entry);
  const std::uint32_t known = table_.find(entry.key);
  if (!admit(entry)) return;  // unmarked: a session no longer carried is removed at the end
  if (known != SessionTable::kNone) {
    Slot& slot = table_.slot(known);
    if (slot.dump_mark() == dump_mark_) return correct(known, entry, now);
    slot.set_dump_mark(dump_mark_);
    const bool damaged = sender_.damaged(known);
    const SessionState before = table_.session(known).state;
    if (!damaged) keep_undumped(before, entry.key.protocol, entry.state);
    if (!damaged && same_but_timeout(before, entry.state)) return;
  } else if (ended_in_dump_.has(digest_key(entry.key))) {
    return;
  }
  ++counters_.reconciled_changed;
  upsert_admitted(entry, known, now);
}

// An event was newer than the dump's entry, except in what it left untold.
void Engine::correct(std::uint32_t known, const Session& entry, Instant now) {
  const Untold untold = inherited_in_dump_.take(digest_key(entry.key));
  if (untold == 0) return;
  Session session = table_.session(known);
  const SessionState before = session.state;
  correct_untold(entry.state, untold, session.state);
  if (same_but_timeout(before, session.state)) return;
  ++counters_.reconciled_changed;
  upsert_admitted(session, known, now);
}

}  // namespace hotpair::dataplane
