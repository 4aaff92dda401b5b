// Which of the last kWindowFrames sequence numbers were received. Frames come in any order, some
// never: the sender sends what they said anew under other numbers, so gaps are never waited for.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/core/delta_wire.hpp"

namespace hotpair::dataplane {

class ReceiveWindow {
 public:
  enum class Verdict : std::uint8_t { fresh, duplicate, too_old };

  Verdict judge(std::uint64_t sequence) const;
  void note(std::uint64_t sequence);  // after judge() said fresh
  std::uint64_t newest() const { return newest_; }
  // The state of the newest frame and the `span` before it.
  Received received(std::uint32_t span) const;
  void reset() { *this = ReceiveWindow{}; }

 private:
  static constexpr std::uint64_t kBits =
      2 * kWindowFrames;  // twice: clearing never meets what is kept

  bool bit(std::uint64_t sequence) const {
    return (words_[sequence % kBits / 64] >> (sequence % 64) & 1) != 0;
  }

  std::array<std::uint64_t, kBits / 64> words_{};
  std::uint64_t newest_ = 0;
};

}  // namespace hotpair::dataplane
