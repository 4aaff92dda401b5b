// A bounded queue from one thread to one other, without locks: items are filled and read in place.
// Each end keeps the other's position as it last saw it, so that the two share a cache line only
// when one has come to the end of what it knew. One thread fills, one takes; nobody waits.
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <utility>
#include <vector>

#include "platform/base/assert.hpp"

namespace hotpair {

template <typename T>
class SpscRing {
 public:
  explicit SpscRing(std::size_t capacity) : items_(capacity) {
    HOTPAIR_ASSERT(std::has_single_bit(capacity));
  }

  // The filling thread: how many fit at least.
  std::size_t room() {
    std::size_t left = items_.size() - (filled_ - taken_seen_);
    if (left < items_.size() / 2) {
      taken_seen_ = taken_.load(std::memory_order_acquire);
      left = items_.size() - (filled_ - taken_seen_);
    }
    return left;
  }
  // Hands the next item to `fill`, with what it held when it last went round, and passes it on.
  template <typename Fill>
  void put(Fill&& fill) {
    HOTPAIR_ASSERT(room() > 0);
    std::forward<Fill>(fill)(items_[filled_ & (items_.size() - 1)]);
    put_.store(++filled_, std::memory_order_release);
  }

  // The taking thread: the oldest item, its own until drop(); null when there is none.
  T* front() {
    if (next_ == put_seen_) put_seen_ = put_.load(std::memory_order_acquire);
    return next_ == put_seen_ ? nullptr : &items_[next_ & (items_.size() - 1)];
  }
  void drop() { taken_.store(++next_, std::memory_order_release); }
  bool empty() const { return next_ == put_.load(std::memory_order_acquire); }

 private:
  std::vector<T> items_;
  // Positions count on for ever; of the filling thread, then of the taking one.
  alignas(64) std::size_t filled_ = 0;
  std::size_t taken_seen_ = 0;
  alignas(64) std::size_t next_ = 0;
  std::size_t put_seen_ = 0;
  alignas(64) std::atomic<std::size_t> put_{0};
  alignas(64) std::atomic<std::size_t> taken_{0};
};

}  // namespace hotpair
