// An array that is as large as it may ever become, of which only what is touched takes memory: the
// system gives zero pages one by one. Nothing is ever moved, so growing never stalls.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>

namespace hotpair::dataplane {

// Told of each large array before it is used; the shell may ask the system for huge pages or for a
// place near a CPU.
using MemoryAdvice = void (*)(void* memory, std::size_t bytes);

template <typename T>
class LargeArray {
  static_assert(std::is_trivially_copyable_v<T>, "zero bytes are a value");

 public:
  explicit LargeArray(std::size_t size, MemoryAdvice advise = nullptr) : size_(size) {
    const std::size_t bytes = size * sizeof(T) + kAlign;
    memory_.reset(std::calloc(bytes, 1));
    if (memory_ == nullptr) throw std::bad_alloc();
    if (advise != nullptr) advise(memory_.get(), bytes);
    void* at = memory_.get();
    std::size_t room = bytes;
    first_ = static_cast<T*>(std::align(kAlign, size * sizeof(T), at, room));
  }

  T& operator[](std::size_t i) { return first_[i]; }
  const T& operator[](std::size_t i) const { return first_[i]; }
  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t kAlign = 64;
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };

  std::size_t size_;
  std::unique_ptr<void, Free> memory_;
  T* first_ = nullptr;
};

}  // namespace hotpair::dataplane
