// Fields as bytes and back, by the lists of field_list.hpp. Each field says its own name and size,
// so that a reader of another version skips what it does not know and leaves what it misses as it
// was; both are counted.
//
//   field: {name size u8, name, size u16, content}
//   content: integers, times and enumerators big-endian in their width; texts as they are; an
//   optional 0 or 1 then the value; a sequence a count u16, then {size u16, element} each; a
//   heartbeat as heartbeat_wire writes it; anything else its fields.
//
// The writer needs room, and says failed() when there was not enough. The reader is total: a value
// that is out of range, cut or too long is named by error(), and nothing is read past the span.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <type_traits>

#include "agent/core/heartbeat_wire.hpp"
#include "agent/core/recorded_words.hpp"
#include "platform/base/bytes.hpp"

namespace hotpair::agent {

template <typename T>
concept Listed = requires {
  sizeof(FieldsOf<T>);
};
template <typename T>
concept Enumeration = std::is_enum_v<T>;
// A recording holds times of this century; what lies outside is refused, so that no sum of two
// overflows.
constexpr std::int64_t kLargestTime = std::int64_t{1} << 60;

class FieldWriter {
 public:
  explicit FieldWriter(ByteWriter& out) : out_(out) {}

  template <typename T>
  void operator()(std::string_view name, const T& value) {
    out_.u8(static_cast<std::uint8_t>(name.size()));
    out_.put(name);
    sized([&] { put(value); });
  }
  // Given beside the fields, or meaningless outside of a step.
  void operator()(std::string_view, const NodeConfig&) {}
  void operator()(std::string_view, Actions* const&) {}

  template <Listed T>
  void fields(const T& value) {
    FieldsOf<T>::each(*this, value);
  }

 private:
  template <typename Put>
  void sized(Put put_content) {
    const std::size_t at = out_.size();
    out_.u16(0);
    put_content();
    if (!out_.failed())
      store_be(out_.written().data() + at, static_cast<std::uint16_t>(out_.size() - at - 2));
  }

  template <std::integral T>
  void put(T value) {
    if constexpr (sizeof(T) == 1) out_.u8(static_cast<std::uint8_t>(value));
    if constexpr (sizeof(T) == 2) out_.u16(static_cast<std::uint16_t>(value));
    if constexpr (sizeof(T) == 4) out_.u32(static_cast<std::uint32_t>(value));
    if constexpr (sizeof(T) == 8) out_.u64(static_cast<std::uint64_t>(value));
  }
  template <Enumeration T>
  void put(T value) {
    put(static_cast<std::underlying_type_t<T>>(value));
  }
  void put(Duration value) { put(value.count()); }
  void put(Instant value) { put(value.time_since_epoch().count()); }
  void put(Epoch value) { put(value.number); }
  template <std::size_t N>
  void put(const ShortText<N>& text) {
    out_.put(text.view());
  }
  template <typename T>
  void put(const std::optional<T>& value) {
    out_.u8(value ? 1 : 0);
    if (value) put(*value);
  }
  template <std::size_t N>
  void put(const std::array<std::uint8_t, N>& bytes) {
    out_.put(Bytes(bytes));
  }
  template <typename T, std::size_t N>
  void put(const std::array<T, N>& items) {
    put_items(items);
  }
  template <typename T, std::size_t N>
  void put(const StaticVector<T, N>& items) {
    put_items(items);
  }
  void put(const Heartbeat& heartbeat) {
    std::array<std::uint8_t, kMaxBodySize> body;
    out_.put(Bytes(body).first(encode_heartbeat(heartbeat, body)));
  }
  template <Listed T>
  void put(const T& value) {
    fields(value);
  }
  template <typename Items>
  void put_items(const Items& items) {
    out_.u16(static_cast<std::uint16_t>(items.size()));
    for (const auto& item : items) sized([&] { put(item); });
  }

  ByteWriter& out_;
};

class FieldReader {
 public:
  explicit FieldReader(Bytes bytes) : bytes_(bytes) {}

  template <typename T>
  void operator()(std::string_view name, T& value) {
    const auto content = find(name);
    if (!content) {
      ++missing_;
      return;
    }
    ++visited_;
    FieldReader inner(*content);
    if (!inner.get(value) && error_.empty()) error_ = std::string(name) + inner.suffix();
    missing_ += inner.missing_;
    unknown_ += inner.unknown_;
  }
  void operator()(std::string_view, NodeConfig&) {}
  void operator()(std::string_view, Actions*&) {}

  // Reads what is there into `value`; what is not keeps what it holds. False: see error().
  template <Listed T>
  bool fields(T& value) {
    const std::size_t total = count();
    if (error_.empty()) FieldsOf<T>::each(*this, value);
    unknown_ += total - visited_;
    return error_.empty();
  }

  const std::string& error() const { return error_; }  // "paths.kind"; empty: none
  std::size_t missing() const { return missing_; }     // fields this version has, the bytes not
  std::size_t unknown() const { return unknown_; }     // and the reverse

 private:
  std::string suffix() const { return error_.empty() ? std::string() : "." + error_; }

  static std::optional<std::pair<std::string_view, Bytes>> next(ByteReader& in) {
    const Bytes name = in.take(in.u8());
    const Bytes content = in.take(in.u16());
    if (in.failed()) return std::nullopt;
    return std::pair(std::string_view(reinterpret_cast<const char*>(name.data()), name.size()),
                     content);
  }

  std::size_t count() {
    ByteReader in(bytes_);
    std::size_t fields = 0;
    for (; in.remaining() > 0; ++fields)
      if (!next(in)) {
        error_ = "(cut)";
        return fields;
      }
    return fields;
  }

  // Where the last one ended is where the next one mostly begins.
  std::optional<Bytes> find(std::string_view name) {
    for (const std::size_t from : {at_, std::size_t{0}}) {
      ByteReader in(bytes_.subspan(from));
      while (in.remaining() > 0) {
        const auto field = next(in);
        if (!field) break;
        if (field->first != name) continue;
        at_ = from + in.position();
        return field->second;
      }
    }
    return std::nullopt;
  }

  template <std::integral T>
  bool get(T& value) {
    if (bytes_.size() != sizeof(T)) return false;
    if constexpr (std::is_same_v<T, bool>) {
      value = bytes_[0] != 0;
      return bytes_[0] <= 1;
    } else {
      value = static_cast<T>(load_be<std::make_unsigned_t<T>>(bytes_.data()));
      return true;
    }
  }
  template <Enumeration T>
  bool get(T& value) {
    std::underlying_type_t<T> number{};
    if (!get(number) || WordsOf<T>::word(static_cast<T>(number)).empty()) return false;
    value = static_cast<T>(number);
    return true;
  }
  bool get(Duration& value) {
    std::int64_t count = 0;
    if (!get(count) || count > kLargestTime || count < -kLargestTime) return false;
    value = Duration(count);
    return true;
  }
  bool get(Instant& value) {
    std::int64_t count = 0;
    if (!get(count)) return false;
    value = Instant(Duration(count));
    return value == Instant::max() || (count <= kLargestTime && count >= -kLargestTime);
  }
  bool get(Epoch& value) { return get(value.number) && value.number >> 63 == 0; }
  template <std::size_t N>
  bool get(ShortText<N>& text) {
    if (bytes_.size() > N) return false;
    text = std::string_view(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
    return true;
  }
  template <typename T>
  bool get(std::optional<T>& value) {
    if (bytes_.empty() || bytes_[0] > 1) return false;
    value.reset();
    if (bytes_[0] == 0) return bytes_.size() == 1;
    bytes_ = bytes_.subspan(1);
    return get(value.emplace());
  }
  template <std::size_t N>
  bool get(std::array<std::uint8_t, N>& out) {
    if (bytes_.size() != N) return false;
    std::copy(bytes_.begin(), bytes_.end(), out.begin());
    return true;
  }
  template <typename T, std::size_t N>
  bool get(std::array<T, N>& items) {
    return each_item(N, [&](std::size_t i, FieldReader& in) { return in.get(items[i]); });
  }
  template <typename T, std::size_t N>
  bool get(StaticVector<T, N>& items) {
    items.clear();
    return each_item(N, [&](std::size_t, FieldReader& in) {
      T item{};
      const bool good = in.get(item);
      if (good) items.push_back(std::move(item));
      return good;
    });
  }
  bool get(Heartbeat& heartbeat) {
    auto decoded = decode_heartbeat(bytes_);
    if (decoded) heartbeat = std::move(*decoded);
    return decoded.ok();
  }
  template <Listed T>
  bool get(T& value) {
    return fields(value);
  }

  template <typename Take>
  bool each_item(std::size_t capacity, Take take) {
    ByteReader in(bytes_);
    const std::size_t items = in.u16();
    if (in.failed() || items > capacity) return false;
    for (std::size_t i = 0; i < items; ++i) {
      FieldReader item(in.take(in.u16()));
      if (in.failed()) return false;
      if (!take(i, item)) {
        error_ = std::to_string(i) + item.suffix();
        return false;
      }
      missing_ += item.missing_;
      unknown_ += item.unknown_;
    }
    return in.remaining() == 0;
  }

  Bytes bytes_;
  std::size_t at_ = 0, visited_ = 0, missing_ = 0, unknown_ = 0;
  std::string error_;
};

}  // namespace hotpair::agent
