#include "dataplane/core/engine.hpp"

#include <algorithm>
#include <vector>

#include "dataplane/core/session_key.hpp"

namespace hotpair::dataplane {
namespace {

std::uint32_t draw_instance(Rng& rng) {
  return static_cast<std::uint32_t>(rng.next() | 1);  // never 0
}

}  // namespace

Engine::Engine(const EngineConfig& config, SessionSink& sink, Instant now)
    : sink_(sink),
      rng_(config.seed),
      table_(config.max_sessions, rng_.next(), config.advise),
      sender_(table_, counters_),
      receiver_(table_, sink_, counters_),
      scrub_due_at_(now) {
  group_.reserve(kGroup);
  wholes_.reserve(kGroup);
  sender_.set_closing_hold(config.closing_hold);
  set_pickup(config.pickup);
}

void Engine::set_role(Role role, std::uint64_t epoch, Instant now) {
  const bool same = role == role_;
  if (same && epoch == epoch_) return;
  // Lower than before, after a time as primary that nobody else heard of: the agent knows whom to
  // follow.
  const bool lower = epoch < epoch_;
  epoch_ = epoch;
  newest_epoch_heard_ = std::max(newest_epoch_heard_, epoch);
  if (same && role == Role::backup)
    return lower ? receiver_.lower_epoch(epoch) : receiver_.raise_epoch(epoch);
  const bool from_backup = role_ == Role::backup;
  role_ = role;
  dumping_ = false;
  reconcile_at_.reset();
  dump_wanted_ = role == Role::primary;
  begin_round(Renewal::none, now);
  if (role == Role::primary) {
    if (from_backup) begin_round(Renewal::hand_back, now);
    sender_.start(epoch, draw_instance(rng_), now);
  } else if (role == Role::backup) {
    begin_round(table_.size() > 0 ? Renewal::rewrite : Renewal::hold, now);
    receiver_.start(epoch, draw_instance(rng_));
  }
}

void Engine::set_pickup(const PickupOptions& options) {
  pickup_ = options;
  sender_.set_delay(options.delay);
  dump_wanted_ = role_ == Role::primary;
}

void Engine::end_dump(bool complete) {
  if (!dumping_) return;
  dumping_ = false;
  if (complete)
    reconcile_at_ = 0;
  else
    dump_wanted_ = true;
}

void Engine::reconcile(Instant now) {
  if (!reconcile_at_) return;
  std::uint32_t at = *reconcile_at_;
  for (std::size_t looked = 0; at < table_.high_water() && looked < kSlotsPerWork; ++at, ++looked) {
    const Slot& slot = table_.slot(at);
    if (!slot.live() || slot.dump_mark() == dump_mark_) continue;
    ++counters_.reconciled_gone;
    sender_.remove(at, now);
  }
  reconcile_at_ = at;
  if (at >= table_.high_water()) reconcile_at_.reset();
}

void Engine::on_frame(Bytes body, Instant now) {
  ByteReader in(body);
  const std::optional<FrameHeader> header = decode_header(in);
  if (!header) {
    ++counters_.rejected_malformed;
    return;
  }
  newest_epoch_heard_ = std::max(newest_epoch_heard_, header->epoch);
  const bool from_primary = header->kind == FrameKind::data || header->kind == FrameKind::marker;
  if (role_ != (from_primary ? Role::backup : Role::primary)) {
    ++counters_.rejected_role;
    return;
  }
  bool good = true;
  if (header->kind == FrameKind::data) {
    receiver_.on_data(*header, in, now);
  } else if (header->kind == FrameKind::marker) {
    Marker marker;
    if ((good = decode(in, marker))) receiver_.on_marker(*header, marker, now);
  } else if (header->kind == FrameKind::offer) {
    good = take_offers(*header, in);
  } else if (header->kind == FrameKind::ack) {
    Ack ack;
    if ((good = decode(in, ack))) sender_.on_ack(*header, ack, now);
  } else {
    Report report;
    if ((good = decode(in, report))) sender_.on_report(*header, report, now);
  }
  if (!good) ++counters_.rejected_malformed;
}

// Sessions of the peer's time as a primary that this one never heard of; see offers.hpp. All or
// nothing, as for data.
bool Engine::take_offers(const FrameHeader& header, ByteReader& in) {
  const std::uint16_t count = in.u16();
  if (in.failed() || count == 0 || count > kMaxRecordsPerFrame) return false;
  std::vector<Record> records(count);
  for (Record& record : records)
    if (!decode_record(in, record) || record.kind != RecordKind::create) return false;
  if (in.remaining() != 0) return false;
  if (!sender_.of_this_stream(header)) {
    ++counters_.rejected_old_stream;
    return true;
  }
  for (const Record& record : records) take_offer(normalised(record.session));
  return true;
}

// The kernel says whether a tuple clashes; its event then brings the session into the table.
void Engine::take_offer(const Session& session) {
  if (table_.find(session.key) != SessionTable::kNone) {
    ++counters_.offers_known;
  } else if (judge(pickup_, session) != Pickup::carry) {
    ++counters_.offers_unwanted;
  } else {
    ++counters_.offers_taken;
    sink_.on_merge(session);
  }
}

std::size_t Engine::next_frame(Instant now, MutableBytes buffer) {
  switch (role_) {
    case Role::primary:
      return sender_.next_frame(now, buffer);
    case Role::backup:
      return receiver_.next_frame(now, buffer);
    case Role::idle:
      break;
  }
  return 0;
}

void Engine::work(Instant now) {
  if (role_ == Role::primary) {
    sender_.work(now, kSlotsPerWork);
    reconcile(now);
  } else if (role_ == Role::backup) {
    receiver_.work(kSlotsPerWork, now);
  }
  if (role_ != Role::idle) scrub(now);
}

void Engine::scrub(Instant now) {
  const std::uint32_t end = table_.high_water();
  if (now >= scrub_due_at_) {
    scrub_due_at_ = now + kScrubStep;
    scrub_left_ = std::min(std::clamp(end / kScrubSteps + 1, 64u, kMostScrubbedAStep), end);
  }
  const auto most = static_cast<std::uint32_t>(kSlotsPerWork);
  for (std::uint32_t slots = std::min(scrub_left_, most); slots > 0; --slots, --scrub_left_) {
    if (scrub_at_ >= end) scrub_at_ = 0;
    if (role_ == Role::backup)
      receiver_.scrub(scrub_at_);
    else if (sender_.scrub(scrub_at_, now))
      dump_wanted_ = true;
    ++scrub_at_;
  }
}

std::optional<Instant> Engine::next_deadline(Instant now) const {
  if (role_ == Role::idle) return std::nullopt;
  if (reconcile_at_ || scrub_left_ > 0) return now;
  const std::optional<Instant> due =
      role_ == Role::primary ? sender_.next_deadline(now) : receiver_.next_deadline(now);
  return due ? std::min(*due, scrub_due_at_) : scrub_due_at_;
}

void Engine::begin_drain(Instant now) {
  if (role_ == Role::primary) sender_.tell_closing(now);
}

bool Engine::drained(Instant since, Instant now) const {
  return role_ != Role::primary || sender_.settled_since(since, now);
}

void Engine::begin_round(Renewal what, Instant now) {
  const std::uint32_t end = table_.high_water();
  const Duration least = what == Renewal::hold        ? kRefreshPeriod
                         : what == Renewal::hand_back ? kHandBackTime
                                                      : Duration{};
  round_ = {what, 0, end, now, std::max(least, Duration(1s) * end / kRenewalsPerSecond)};
}

// Where the round should have got to by now. A backup's rounds follow one another and see what came
// meanwhile.
std::uint32_t Engine::refresh_target(Instant now) {
  if (round_.what == Renewal::none) return 0;
  if (round_.what != Renewal::hand_back) round_.end = table_.high_water();
  const bool over = now - round_.began_at >= round_.time && round_.at >= round_.end;
  if (over) begin_round(role_ == Role::backup ? Renewal::hold : Renewal::none, now);
  if (now - round_.began_at >= round_.time) return round_.end;
  const double part = to_seconds(now - round_.began_at) / to_seconds(round_.time);
  const auto target = static_cast<std::uint32_t>(part * round_.end);
  return target - target % kRenewedTogether;
}

std::optional<Session> Engine::find(const SessionKey& key) const {
  const std::uint32_t id = table_.find(key);
  if (id == SessionTable::kNone) return std::nullopt;
  return table_.session(id);
}

EngineStatus Engine::status(Instant now) const {
  EngineStatus s;
  s.role = role_;
  s.epoch = epoch_;
  s.newest_epoch_heard = newest_epoch_heard_;
  s.sessions = table_.size();
  if (role_ == Role::primary) {
    s.in_sync = sender_.in_sync(now);
    s.peer_heard = sender_.connected();
    s.bulk_running = sender_.bulk_running();
    s.peer_sessions = sender_.peer_sessions();
    s.lag_sessions = sender_.lag_sessions();
    s.lag = sender_.lag(now);
    s.round_trip = sender_.round_trip();
    s.verify = sender_.verify();
  } else if (role_ == Role::backup) {
    s.in_sync = receiver_.in_sync(now);
    s.peer_heard = receiver_.peer_heard(now);
    s.peer_sessions = receiver_.peer_sessions();
  }
  return s;
}

}  // namespace hotpair::dataplane
