#include "dataplane/core/receive_window.hpp"

#include <algorithm>

namespace hotpair::dataplane {

ReceiveWindow::Verdict ReceiveWindow::judge(std::uint64_t sequence) const {
  if (sequence > newest_) return Verdict::fresh;
  if (newest_ - sequence >= kWindowFrames) return Verdict::too_old;
  return bit(sequence) ? Verdict::duplicate : Verdict::fresh;
}

void ReceiveWindow::note(std::uint64_t sequence) {
  if (sequence > newest_) {
    const std::uint64_t words = std::min(sequence / 64 - newest_ / 64, kBits / 64);
    for (std::uint64_t i = 0; i < words; ++i) words_[(sequence / 64 - i) % words_.size()] = 0;
    newest_ = sequence;
  }
  words_[sequence % kBits / 64] |= std::uint64_t{1} << (sequence % 64);
}

Received ReceiveWindow::received(std::uint32_t span) const {
  Received r;
  r.newest = newest_;
  if (newest_ == 0) return r;
  const std::uint64_t bits = std::min<std::uint64_t>({span + 1u, kWindowFrames, newest_});
  r.words = static_cast<std::uint16_t>((bits + 63) / 64);
  for (std::uint64_t i = 0; i < bits; ++i)
    if (bit(newest_ - i)) r.bits[i / 64] |= std::uint64_t{1} << (i % 64);
  return r;
}

}  // namespace hotpair::dataplane
