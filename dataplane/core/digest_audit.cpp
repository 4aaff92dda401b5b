#include "dataplane/core/digest_audit.hpp"

#include <algorithm>

namespace hotpair::dataplane {

void DigestAudit::restart(Instant now) {
  running_ = false;
  equal_at_.fill(Instant{});
  proven_at_ = Instant{};
  next_round_at_ = now;
}

Marker DigestAudit::begin(const Flight& flight, bool quiet, const DigestTable& sent,
                          std::uint64_t sessions, Instant now) {
  summary_ = quiet && !full_wanted_;
  running_ = true;
  untold_known_ = false;
  marker_ = flight.next_sequence();
  oldest_ = flight.oldest();
  began_at_ = now;
  snapshot_ = sent;
  different_.reset();
  seen_.reset();
  compared_ = 0;
  ++round_;
  // An answer that is not here by then was lost: ask again.
  next_round_at_ = now + std::clamp(4 * flight.round_trip(), Duration{20ms}, kPeriod);
  return {.round = round_,
          .want = summary_ ? Marker::Want::summary : Marker::Want::digests,
          .sessions = sessions};
}

// Marks the buckets named by frames before the marker that the backup did not have when it
// answered. False when such a frame is no longer remembered, so that nothing can be said. One that
// was given up before the marker left is not kept: what it said was told anew, in a later frame.
bool DigestAudit::find_untold(const Report& report, const Flight& flight) {
  untold_.reset();
  for (std::uint64_t s = oldest_; s < marker_; ++s) {
    if (report.received.has(s)) continue;
    const FlightFrame* frame = flight.remembered(s);
    if (frame == nullptr) return false;
    if (frame->records == nullptr && frame->state == FlightFrame::State::lost) continue;
    if (frame->records == nullptr) return false;
    for (std::size_t i = 0; i < frame->count; ++i)
      if (frame->records[i].kind != RecordKind::sweep) untold_.set(frame->records[i].bucket);
  }
  return true;
}

void DigestAudit::compare(const Report& report) {
  for (std::size_t i = 0; i < report.count; ++i) {
    const std::uint32_t bucket = report.first_bucket + static_cast<std::uint32_t>(i);
    if (seen_.test(bucket)) continue;
    seen_.set(bucket);
    if (untold_.test(bucket)) continue;
    ++compared_;
    if (report.digests[i] == snapshot_.bucket(bucket))
      equal_at_[bucket] = began_at_;
    else
      different_.set(bucket);
  }
}

std::optional<BucketSet> DigestAudit::on_report(const Report& report, const Flight& flight,
                                                Counters& counters, Instant now) {
  if (!running_ || report.round != round_ || report.marker != marker_ ||
      report.received.newest != marker_)
    return std::nullopt;
  if (summary_) {
    if (report.count != 0) return std::nullopt;
    compared_ = kBuckets;
    if (report.root == snapshot_.root() && report.sessions == snapshot_.sessions()) {
      equal_at_.fill(began_at_);
      return finish(report, counters, now);
    }
    running_ = false;  // they differ somewhere: ask where
    request();
    return std::nullopt;
  }
  if (!untold_known_ && !find_untold(report, flight)) {
    ++counters.digest_void;
    running_ = false;
    return std::nullopt;
  }
  untold_known_ = true;
  compare(report);
  if (!seen_.all()) return std::nullopt;
  return finish(report, counters, now);
}

BucketSet DigestAudit::finish(const Report& report, Counters& counters, Instant now) {
  running_ = false;
  full_wanted_ = false;
  proven_at_ = *std::min_element(equal_at_.begin(), equal_at_.end());
  next_round_at_ = proven_at_ == began_at_ ? began_at_ + kPeriod : now + kPeriod / 10;
  ++counters.digest_rounds;
  counters.buckets_compared += compared_;
  counters.buckets_unequal += different_.count();
  last_ = {.round = round_,
           .compared = compared_,
           .different = static_cast<std::uint32_t>(different_.count()),
           .sessions = snapshot_.sessions(),
           .peer_sessions = report.sessions,
           .took = now - began_at_};
  return different_;
}

bool DigestAudit::fresh(Instant now) const {
  return proven_at_ != Instant{} && now - proven_at_ <= kFresh;
}

}  // namespace hotpair::dataplane
