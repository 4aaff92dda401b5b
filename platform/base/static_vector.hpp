// A vector with a fixed capacity and no allocation, for what the cores hand out. push_back on a
// full vector is a programming error: capacities are chosen as provable maxima.
#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include "platform/base/assert.hpp"

namespace hotpair {

template <typename T, std::size_t Capacity>
class StaticVector {
 public:
  void push_back(T value) {
    HOTPAIR_ASSERT(size_ < Capacity);
    items_[size_++] = std::move(value);
  }
  void clear() {
    for (std::size_t i = 0; i < size_; ++i) items_[i] = T{};
    size_ = 0;
  }
  T& operator[](std::size_t i) {
    HOTPAIR_ASSERT(i < size_);
    return items_[i];
  }
  const T& operator[](std::size_t i) const {
    HOTPAIR_ASSERT(i < size_);
    return items_[i];
  }
  T* begin() { return items_.data(); }
  T* end() { return items_.data() + size_; }
  const T* begin() const { return items_.data(); }
  const T* end() const { return items_.data() + size_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  bool full() const { return size_ == Capacity; }
  static constexpr std::size_t capacity() { return Capacity; }
  friend bool operator==(const StaticVector& a, const StaticVector& b) {
    if (a.size_ != b.size_) return false;
    for (std::size_t i = 0; i < a.size_; ++i)
      if (!(a.items_[i] == b.items_[i])) return false;
    return true;
  }

 private:
  std::array<T, Capacity> items_{};
  std::size_t size_ = 0;
};

}  // namespace hotpair
