// How long to wait after something that happened again: nothing the first `free` times, then
// `first`, doubling up to `most`; forgotten when it has been quiet for `most`. For links that
// bounce and for a role that does (election.flap_backoff, flap_backoff_max).
#pragma once

#include <algorithm>

#include "platform/base/time.hpp"

namespace hotpair::agent {

class Backoff {
 public:
  // It happened, after `quiet` without.
  void note(Duration quiet, unsigned free, Duration first, Duration most) {
    if (quiet >= most) count_ = 0;
    if (count_ < kMost) ++count_;
    delay_ = count_ <= free ? Duration{} : first;
    for (unsigned i = free + 1; i < count_ && delay_ < most; ++i) delay_ *= 2;
    delay_ = std::min(delay_, most);
  }
  unsigned count() const { return count_; }
  Duration delay() const { return delay_; }

 private:
  template <typename>
  friend struct FieldsOf;  // recordings
  static constexpr unsigned kMost = 99;

  unsigned count_ = 0;
  Duration delay_{};
};

}  // namespace hotpair::agent
