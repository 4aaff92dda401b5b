// What the events of sessions left untold while a kernel dump is running, until its entry of the
// session comes: see correct_untold(). Bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "dataplane/core/untold.hpp"

namespace hotpair::dataplane {

class Inherited {
 public:
  static constexpr std::size_t kMost = 1u << 15;

  void clear() { untold_.clear(); }
  bool empty() const { return untold_.empty(); }
  // The first event since the dump began; `key` is the digest of its key. False when it is full.
  bool add(std::uint64_t key, Untold untold) {
    if (untold == 0) return true;
    if (untold_.size() == kMost) return false;
    untold_.insert_or_assign(key, untold);
    return true;
  }
  // A later event: what it told is not inherited any more.
  void narrow(std::uint64_t key, Untold untold) {
    if (const auto found = untold_.find(key); found != untold_.end()) found->second &= untold;
  }
  void forget(std::uint64_t key) { untold_.erase(key); }
  Untold take(std::uint64_t key) {
    const auto found = untold_.find(key);
    if (found == untold_.end()) return 0;
    const Untold untold = found->second;
    untold_.erase(found);
    return untold;
  }

 private:
  std::unordered_map<std::uint64_t, Untold> untold_;
};

}  // namespace hotpair::dataplane
