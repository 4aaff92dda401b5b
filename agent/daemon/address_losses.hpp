// Which addresses somebody else took away from the primary, and when they are put back: the first
// time at once, and ever later for one who keeps taking them, so that two programs that fight over
// an address stay bounded. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "platform/base/time.hpp"

namespace hotpair::daemon {

constexpr Duration kFirstPause = 100ms, kLongestPause = 10s;  // doubling from one to the other
constexpr Duration kRetryPutBack = 1s;
constexpr Duration kForgiven = 60s;  // who has left it alone for so long is a stranger again

class AddressLosses {
 public:
  void reset(std::size_t addresses);
  void forget_pending();  // nothing is to be put back any more

  void lost(std::size_t index, Instant now);
  // Those whose time has come, no longer pending.
  std::vector<std::size_t> take_due(Instant now);
  void put_back(std::size_t index, Instant now);
  void failed(std::size_t index, Instant now);  // it could not be: to be tried again
  std::optional<Instant> next_due() const;

  std::uint64_t count(std::size_t index) const { return entries_.at(index).count; }
  std::uint64_t total() const;

 private:
  struct Entry {
    std::optional<Instant> due;
    std::optional<Instant> last;  // put back
    Duration pause{};
    std::uint64_t count = 0;  // times put back
  };
  std::vector<Entry> entries_;
};

}  // namespace hotpair::daemon
