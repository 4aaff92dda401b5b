// A bounded set of 64-bit digests of keys: the sessions that ended while a kernel dump was running,
// so that the dump, which may have read them before, does not bring them back.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

namespace hotpair::dataplane {

class KeySet {
 public:
  KeySet() : digests_(std::make_unique<std::uint64_t[]>(kPlaces)) {}

  void clear() {
    if (size_ > 0) std::fill_n(digests_.get(), kPlaces, std::uint64_t{0});
    size_ = 0;
  }
  // False when it is full.
  bool add(std::uint64_t digest) {
    std::uint64_t& place = digests_[find(digest)];
    if (place == value(digest)) return true;
    if (size_ == kCapacity) return false;
    place = value(digest);
    ++size_;
    return true;
  }
  bool has(std::uint64_t digest) const { return digests_[find(digest)] != 0; }

 private:
  static constexpr std::size_t kPlaces = 1u << 16;  // 512 KiB: a second of a busy firewall's ends
  static constexpr std::size_t kCapacity = kPlaces / 2;

  static std::uint64_t value(std::uint64_t digest) { return digest != 0 ? digest : 1; }
  std::size_t find(std::uint64_t digest) const {
    std::size_t at = value(digest) % kPlaces;
    while (digests_[at] != 0 && digests_[at] != value(digest)) at = (at + 1) % kPlaces;
    return at;
  }

  std::unique_ptr<std::uint64_t[]> digests_;
  std::size_t size_ = 0;
};

}  // namespace hotpair::dataplane
