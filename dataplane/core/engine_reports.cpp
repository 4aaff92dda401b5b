// What the kernel reports, on its way into the table: events, expectations, the entries of a dump.
#include <algorithm>
#include <array>
#include <utility>

#include "dataplane/core/engine.hpp"
#include "dataplane/core/session_key.hpp"
#include "dataplane/core/untold.hpp"

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

void Engine::prepare(const Session& reported, Prepared& out) const {
  CompactSession alone;
  if (compact_alone(reported, alone)) {
    out.view = SessionView(alone);
  } else {
    out.whole = normalised(reported);
    out.view = SessionView(out.whole);
  }
  out.hash = table_.hash(out.view);
}

void Engine::prefetch_group(std::size_t count) const {
  if (count == 1) return;
  std::array<std::uint32_t, kGroup> slots;
  for (std::size_t i = 0; i < count; ++i) table_.prefetch(group_[i].hash);
  for (std::size_t i = 0; i < count; ++i) slots[i] = table_.candidate(group_[i].hash);
  for (std::size_t i = 0; i < count; ++i)
    if (slots[i] != SessionTable::kNone) table_.prefetch_slot(slots[i]);
}

void Engine::upsert_admitted(const Prepared& session, std::uint32_t known, Instant now) {
  const std::uint32_t id = sender_.upsert(session.view, session.hash, known, now);
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

void Engine::upsert(std::span<const Session> sessions, Instant now) {
  if (role_ != Role::primary) return;
  while (!sessions.empty()) {
    const std::size_t count = std::min(sessions.size(), kGroup);
    for (std::size_t i = 0; i < count; ++i) prepare(sessions[i], group_[i]);
    prefetch_group(count);
    for (std::size_t i = 0; i < count; ++i) upsert_prepared(sessions[i], group_[i], now);
    sessions = sessions.subspan(count);
  }
}

// Whether the report leaves nothing out that is known of the session.
bool Engine::tells_all(const SessionView& report, std::uint32_t known) const {
  const bool state_told = (report.compact.status_and_state & 0x0f) != 0;
  return report.whole == nullptr && table_.slot(known).session.side_kind() == Side::none &&
         (state_told || !has_state(report.compact.protocol));
}

void Engine::upsert_prepared(const Session& reported, Prepared& session, Instant now) {
  ++counters_.events_upsert;
  const std::uint32_t known = table_.find(session.view, session.hash);
  const bool corrections_wait = dumping_ && !inherited_in_dump_.empty();
  if (known != SessionTable::kNone && (corrections_wait || !tells_all(session.view, known))) {
    Session all = normalised(reported);
    const Untold untold = keep_untold(table_.session(known).state, all.key.protocol, all.state);
    if (dumping_) note_untold(all.key, known, untold);
    prepare(all, session);
  } else if (known == SessionTable::kNone && !early_.empty()) {
    Session all = normalised(reported);
    early_.claim(all, now);
    prepare(all, session);
  }
  if (admit(reported))
    upsert_admitted(session, known, now);
  else if (known != SessionTable::kNone)
    sender_.remove(known, now);
}

// Unless the running dump was first to tell of it: then both speak of the same session.
void Engine::begin(const Session& session, Instant now) {
  if (role_ != Role::primary) return;
  prepare(session, group_[0]);
  const std::uint32_t known = table_.find(group_[0].view, group_[0].hash);
  const bool gone =
      known != SessionTable::kNone && !(dumping_ && table_.slot(known).dump_mark() == dump_mark_);
  if (!gone || !admit(session)) return upsert(session, now);
  ++counters_.events_upsert;
  upsert_admitted(group_[0], known, now);
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
    const std::size_t count = std::min(keys.size(), kGroup);
    for (std::size_t i = 0; i < count; ++i) {
      group_[i].whole = normalised({.key = keys[i], .state = {}});
      group_[i].hash = table_.hash(group_[i].whole.key);
    }
    prefetch_group(count);
    for (std::size_t i = 0; i < count; ++i) destroy_prepared(group_[i], now);
    keys = keys.subspan(count);
  }
}

void Engine::destroy_prepared(const Prepared& session, Instant now) {
  ++counters_.events_destroy;
  const SessionKey& key = session.whole.key;
  // A session whose end is not remembered the dump may bring back; another dump will find it gone.
  if (dumping_ && !ended_in_dump_.add(digest_key(key))) dump_wanted_ = true;
  if (dumping_) inherited_in_dump_.forget(digest_key(key));
  const std::uint32_t id = table_.find(key, session.hash);
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
  prepare(session, group_[0]);
  upsert_admitted(group_[0], known, now);
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
  prepare(entry, group_[0]);
  upsert_admitted(group_[0], known, now);
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
  prepare(session, group_[0]);
  upsert_admitted(group_[0], known, now);
}

}  // namespace hotpair::dataplane
