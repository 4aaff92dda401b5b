// Entries of one size that stand beside sessions, numbered from 1, allocated 1024 at a time and
// reused. Each knows the slot it belongs to: damaged memory may hold any number, and must neither
// lead outside nor give back what is another session's.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace hotpair::dataplane {

template <typename T>
class SidePool {
 public:
  std::uint32_t take(std::uint32_t owner, T value) {
    if (first_free_ == 0) grow();
    const std::uint32_t number = first_free_;
    Entry& e = entry(number);
    first_free_ = e.owner_or_next;
    e = Entry(std::move(value), owner, true);
    ++used_;
    return number;
  }
  // Null when it is not the owner's.
  const T* find(std::uint32_t number, std::uint32_t owner) const {
    if (number == 0 || number > chunks_.size() * kChunk) return nullptr;
    const Entry& e = entry(number);
    return e.used && e.owner_or_next == owner ? &e.value : nullptr;
  }
  void give_back(std::uint32_t number, std::uint32_t owner) {
    if (find(number, owner) == nullptr) return;
    entry(number) = Entry(T{}, first_free_, false);
    first_free_ = number;
    --used_;
  }
  void change_owner(std::uint32_t number, std::uint32_t from, std::uint32_t to) {
    if (find(number, from) != nullptr) entry(number).owner_or_next = to & 0x7fffffffu;
  }
  std::size_t memory() const { return chunks_.size() * kChunk * sizeof(Entry); }

 private:
  static constexpr std::uint32_t kChunk = 1024;
  struct Entry {
    T value{};
    std::uint32_t owner_or_next : 31 = 0;
    bool used : 1 = false;
    Entry() = default;
    Entry(T v, std::uint32_t o, bool u)
        : value(std::move(v)), owner_or_next(o & 0x7fffffffu), used(u) {}
  };

  Entry& entry(std::uint32_t number) {
    return chunks_[(number - 1) / kChunk][(number - 1) % kChunk];
  }
  const Entry& entry(std::uint32_t number) const {
    return chunks_[(number - 1) / kChunk][(number - 1) % kChunk];
  }
  void grow() {
    chunks_.push_back(std::make_unique<Entry[]>(kChunk));
    const auto end = static_cast<std::uint32_t>(chunks_.size() * kChunk);
    for (std::uint32_t number = end; number > end - kChunk; --number) {
      entry(number).owner_or_next = first_free_ & 0x7fffffffu;
      first_free_ = number;
    }
  }

  std::vector<std::unique_ptr<Entry[]>> chunks_;
  std::uint32_t first_free_ = 0, used_ = 0;
};

}  // namespace hotpair::dataplane
