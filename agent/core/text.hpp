// Builds a short text piece by piece without allocating; what does not fit is cut. For reasons and
// values as people read them: "peer silent for 41 ms on 3 of 3 paths".
#pragma once

#include <algorithm>
#include <charconv>
#include <concepts>

#include "agent/core/types.hpp"

namespace hotpair::agent {

template <std::size_t N>
class Text {
 public:
  Text() = default;
  template <typename First, typename... Rest>
  explicit Text(const First& first, const Rest&... rest) {
    (*this << first);
    ((*this << rest), ...);
  }

  Text& operator<<(std::string_view piece) {
    const std::size_t count = std::min(piece.size(), N - text_.size);
    std::copy_n(piece.begin(), count, text_.data.begin() + text_.size);
    text_.size = static_cast<std::uint8_t>(text_.size + count);
    return *this;
  }
  Text& operator<<(const char* piece) { return *this << std::string_view(piece); }
  template <std::size_t M>
  Text& operator<<(const ShortText<M>& piece) {
    return *this << piece.view();
  }
  template <std::integral I>
  Text& operator<<(I number) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    return *this << std::string_view(digits.data(), static_cast<std::size_t>(end - digits.data()));
  }
  Text& operator<<(ChassisId id) { return *this << static_cast<unsigned>(id); }
  // "41 ms", "3 s", "2500 ms": whole seconds where nothing is lost by it.
  Text& operator<<(Duration d) {
    const std::int64_t ms = to_ms(d);
    if (ms >= 1000 && ms % 1000 == 0) return *this << ms / 1000 << " s";
    return *this << ms << " ms";
  }

  operator ShortText<N>() const { return text_; }  // NOLINT: implicit by design
  const ShortText<N>& text() const { return text_; }

 private:
  ShortText<N> text_;
};

using Sentence = Text<200>;

// The duration rounded up to whole seconds, for "until in 3 s".
constexpr Duration whole_seconds(Duration d) {
  return std::chrono::ceil<std::chrono::seconds>(d);
}

}  // namespace hotpair::agent
