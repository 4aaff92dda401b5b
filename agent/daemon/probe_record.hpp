// What the probes of one address have shown so far. Pure: times come in. Unknown until the first
// answer (reached) or `lost` probes in a row without one (not reached). An answer that comes while
// later probes are under way counts for the one it names, so a round trip longer than the interval
// does no harm as long as it is shorter than interval x lost. A probe that could not be sent is one
// without an answer; no probe is sent while this program stands still, so that proves nothing.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "platform/base/assert.hpp"
#include "platform/base/time.hpp"

namespace hotpair::daemon {

enum class Reached : std::uint8_t { unknown, yes, no };

class ProbeRecord {
 public:
  explicit ProbeRecord(int lost, std::uint16_t first_sequence = 0)
      : lost_(lost), sequence_(first_sequence) {
    HOTPAIR_ASSERT(lost >= 1);
  }

  // The number of the probe that leaves now; the one before it is missed if nothing has answered.
  std::uint16_t next() {
    if (sent_ > 0 && unanswered_ < lost_) ++unanswered_;
    if (unanswered_ >= lost_) reached_ = Reached::no;
    if (sent_ < kWindow) ++sent_;
    return ++sequence_;
  }

  // False when no probe of the last kWindow waits for it. Received `at`, by the kernel's clock.
  bool answered(std::uint16_t sequence, Instant at) {
    const auto since = static_cast<std::uint16_t>(sequence_ - sequence);  // probes sent after it
    if (since >= sent_) return false;
    // Of those sent after it all but the newest, which is still under way, are missed so far.
    // An older answer that comes late takes nothing back.
    unanswered_ = std::min(unanswered_, since == 0 ? kAnswered : since - 1);
    if (unanswered_ < lost_) reached_ = Reached::yes;
    if (!last_answer_ || at > *last_answer_) last_answer_ = at;
    return true;
  }
  // An answer that names no probe (ARP, neighbour discovery).
  bool answered(Instant at) { return answered(sequence_, at); }

  Reached reached() const { return reached_; }
  std::optional<Instant> last_answer() const { return last_answer_; }

 private:
  static constexpr std::uint16_t kWindow = 64;  // more than any configurable `lost`
  static constexpr int kAnswered = -1;          // next() makes it 0: that one was not missed

  int lost_;
  std::uint16_t sequence_;
  std::uint16_t sent_ = 0;  // up to kWindow
  int unanswered_ = 0;      // in a row
  Reached reached_ = Reached::unknown;
  std::optional<Instant> last_answer_;
};

}  // namespace hotpair::daemon
