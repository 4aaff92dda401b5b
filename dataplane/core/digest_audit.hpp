// The primary's proof that the backup's table equals what was sent: rounds of comparison by digest.
// A marker frame asks the backup for its digests as of that frame. The primary keeps its own
// digests of the sessions as last sent, taken when the marker left, and compares each bucket
// exactly, but for buckets touched by frames that the backup had not received by then. Pure; the
// sender drives it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "dataplane/core/counters.hpp"
#include "dataplane/core/delta_wire.hpp"
#include "dataplane/core/digest.hpp"
#include "dataplane/core/flight.hpp"
#include "platform/base/time.hpp"

namespace hotpair::dataplane {

struct VerifyReport {       // of the last round that compared every bucket it could
  std::uint32_t round = 0;  // rises with each; 0: none yet
  std::uint32_t compared = 0, different = 0;  // buckets
  std::uint64_t sessions = 0, peer_sessions = 0;
  Duration took{};
};

class DigestAudit {
 public:
  static constexpr Duration kPeriod = 250ms;  // between rounds
  static constexpr Duration kFresh = 2s;      // how long a comparison proves anything

  void restart(Instant now);  // nothing is proven; the next round is due at once
  bool running() const { return running_; }
  bool due(Instant now) const { return now >= next_round_at_; }
  Instant deadline() const { return next_round_at_; }
  void request_round(Instant now) { next_round_at_ = now; }
  void request() {
    full_wanted_ = true;
    next_round_at_ = Instant{};
  }

  // Begins a round: what the next frame, a marker, is to ask. `quiet`: all that was sent is
  // acknowledged. As long as it runs, the flight keeps what is under way now.
  Marker begin(const Flight& flight, bool quiet, const DigestTable& sent, std::uint64_t sessions,
               Instant now);
  // Takes a report; when it completes the round, returns the buckets that differ (possibly none).
  std::optional<BucketSet> on_report(const Report& report, const Flight& flight, Counters& counters,
                                     Instant now);
  // Every bucket was found equal at `now` - kFresh or later.
  bool fresh(Instant now) const;
  const VerifyReport& last() const { return last_; }

 private:
  bool find_untold(const Report& report, const Flight& flight);
  void compare(const Report& report);
  BucketSet finish(const Report& report, Counters& counters, Instant now);

  bool running_ = false, summary_ = false, full_wanted_ = false, untold_known_ = false;
  std::uint32_t round_ = 0;
  std::uint64_t marker_ = 0;  // its sequence
  std::uint64_t oldest_ = 0;  // the oldest frame not settled when it left
  Instant began_at_, next_round_at_;
  DigestTable snapshot_;
  BucketSet untold_;            // touched by frames the backup had not received
  BucketSet different_, seen_;  // of this round
  std::uint32_t compared_ = 0;
  std::array<Instant, kBuckets> equal_at_{};
  Instant proven_at_;  // the oldest of equal_at_
  VerifyReport last_;
};

}  // namespace hotpair::dataplane
