// How long nothing was heard, at worst, within a window. Pure: time comes in.
#pragma once

#include <algorithm>
#include <optional>

#include "platform/base/time.hpp"

namespace hotpair::bench {

class SilenceMeter {
 public:
  // A window begins: what was before it does not count.
  void begin(Instant at) {
    last_ = at;
    longest_ = Duration::zero();
    longest_began_ = at;
  }
  void heard(Instant at) {
    count_until(at);
    last_ = last_ ? std::max(*last_, at) : at;
  }
  // What has lasted until now counts too.
  void count_until(Instant at) {
    if (!last_ || at - *last_ <= longest_) return;
    longest_ = at - *last_;
    longest_began_ = *last_;
  }

  Duration longest() const { return longest_; }
  Instant longest_began() const { return longest_began_; }

 private:
  std::optional<Instant> last_;
  Duration longest_{};
  Instant longest_began_{};
};

}  // namespace hotpair::bench
