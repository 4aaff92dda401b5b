// Reading and writing network byte order in byte spans. Nothing is ever cast onto a buffer.
//
// ByteReader never reads past its span: a short read sets failed() and yields zeros, so a decoder
// reads a whole fixed part and checks once. ByteWriter never writes past its span: an overflow sets
// failed() and writes nothing.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace hotpair {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

// A number of big-endian bytes as it is in memory, into this machine's order, or back.
template <typename T>
constexpr T big_endian(T value) {
  static_assert(std::is_unsigned_v<T> && sizeof(T) <= 8);
  if constexpr (std::endian::native == std::endian::big || sizeof(T) == 1) return value;
  if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
  if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
  if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
}

// One load or store and a swap. A loop over the bytes says the same, but compilers make dozens of
// instructions of it in places, and these are everywhere in the records of sessions.
template <typename T>
T load_be(const std::uint8_t* p) {
  T value;
  std::memcpy(&value, p, sizeof value);
  return big_endian(value);
}

template <typename T>
void store_be(std::uint8_t* p, T value) {
  value = big_endian(value);
  std::memcpy(p, &value, sizeof value);
}

class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : bytes_(bytes) {}

  std::uint8_t u8() { return load<std::uint8_t>(); }
  std::uint16_t u16() { return load<std::uint16_t>(); }
  std::uint32_t u32() { return load<std::uint32_t>(); }
  std::uint64_t u64() { return load<std::uint64_t>(); }

  // The next `count` bytes; an empty span and failed() when fewer are left.
  Bytes take(std::size_t count) {
    if (count > remaining()) {
      failed_ = true;
      return {};
    }
    Bytes taken = bytes_.subspan(at_, count);
    at_ += count;
    return taken;
  }
  template <std::size_t N>
  void copy_to(std::array<std::uint8_t, N>& out) {
    Bytes taken = take(N);
    if (!failed_) std::memcpy(out.data(), taken.data(), N);
  }
  void skip(std::size_t count) { (void)take(count); }

  std::size_t remaining() const { return failed_ ? 0 : bytes_.size() - at_; }
  std::size_t position() const { return at_; }
  bool failed() const { return failed_; }

 private:
  template <typename T>
  T load() {
    if (sizeof(T) > remaining()) {
      failed_ = true;
      return 0;
    }
    T value = load_be<T>(bytes_.data() + at_);
    at_ += sizeof(T);
    return value;
  }

  Bytes bytes_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

class ByteWriter {
 public:
  explicit ByteWriter(MutableBytes bytes) : bytes_(bytes) {}

  void u8(std::uint8_t v) { store(v); }
  void u16(std::uint16_t v) { store(v); }
  void u32(std::uint32_t v) { store(v); }
  void u64(std::uint64_t v) { store(v); }
  void put(Bytes data) {
    if (!reserve(data.size())) return;
    std::copy(data.begin(), data.end(), bytes_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ += data.size();
  }
  void put(std::string_view text) {
    put(Bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
  }
  void zeros(std::size_t count) {
    if (!reserve(count)) return;
    std::fill_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), count, std::uint8_t{0});
    at_ += count;
  }

  std::size_t size() const { return at_; }
  std::size_t remaining() const { return bytes_.size() - at_; }
  bool failed() const { return failed_; }
  MutableBytes written() const { return bytes_.first(at_); }

 private:
  bool reserve(std::size_t count) {
    if (failed_ || count > remaining()) failed_ = true;
    return !failed_;
  }
  template <typename T>
  void store(T v) {
    if (!reserve(sizeof(T))) return;
    store_be<T>(bytes_.data() + at_, v);
    at_ += sizeof(T);
  }

  MutableBytes bytes_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace hotpair
