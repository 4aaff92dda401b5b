// The last few instance numbers of a peer that are over: its late frames must not be taken for a
// new start.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace hotpair::dataplane {

class Retired {
 public:
  void add(std::uint32_t instance) { instances_[next_++ % instances_.size()] = instance; }
  bool has(std::uint32_t instance) const {
    return std::find(instances_.begin(), instances_.end(), instance) != instances_.end();
  }

 private:
  std::array<std::uint32_t, 16>
      instances_{};  // frames older than 16 restarts are not in the network
  std::size_t next_ = 0;
};

}  // namespace hotpair::dataplane
