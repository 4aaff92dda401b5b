#include "tools/bench/sync/ring_link.hpp"

#include <algorithm>
#include <new>
#include <utility>

namespace hotpair::bench::sync {

namespace {

// The lines of a buffer from wherever they are into this core's cache, to be written. Compilers
// have a word for it only where they may take it for granted that the processor has one; others
// take it for none.
void fetch_to_write(const std::uint8_t* buffer, std::size_t size) {
  constexpr std::size_t kLine = 64;
  for (std::size_t at = 0; at < size; at += kLine) {
#ifdef __x86_64__
    asm volatile("prefetchw %0" : : "m"(buffer[at]));
#else
    __builtin_prefetch(buffer + at, 1);
#endif
  }
}

}  // namespace

FrameRing::FrameRing(std::size_t frames, std::size_t max_frame, Faults faults, std::uint64_t seed)
    : frames_(frames + kSpare),
      max_frame_(max_frame),
      stride_((max_frame + kPage - 1) / kPage * kPage),
      faults_(faults),
      rng_(seed),
      bytes_(static_cast<std::uint8_t*>(std::aligned_alloc(kPage, frames_ * stride_))),
      sizes_(frames_) {
  if (bytes_ == nullptr) throw std::bad_alloc();
}

bool FrameRing::happens(double percent) {
  return percent > 0 && static_cast<double>(rng_.below(1'000'000)) < percent * 10'000;
}

MutableBytes FrameRing::begin() {
  const std::uint64_t head = head_.load(std::memory_order_relaxed);
  const std::uint64_t under_way = head - tail_.load(std::memory_order_acquire);
  if (under_way >= frames_ - kSpare) return {};
  // A NIC reads a buffer where it is, and the driver hands out what it was given back last: so a
  // sender writes into its own cache. Here the reader's core has the lines.
  if (under_way + 1 < frames_ - kSpare) fetch_to_write(place(head + 1), max_frame_);
  return {place(head), max_frame_};
}

void FrameRing::publish(std::size_t size) {
  const std::uint64_t head = head_.load(std::memory_order_relaxed);
  sizes_[head % frames_] = static_cast<std::uint32_t>(size);
  head_.store(head + 1, std::memory_order_release);
}

void FrameRing::commit(std::size_t size) {
  if (size == 0) return;
  ++committed_;
  if (happens(faults_.loss_percent)) return;
  if (held_.empty() && happens(faults_.reorder_percent)) {
    const std::uint8_t* frame = place(head_.load(std::memory_order_relaxed));
    held_.assign(frame, frame + size);
    held_until_ = committed_ + kOvertakenBy;
    return;
  }
  publish(size);
  if (held_.empty() || committed_ < held_until_) return;
  std::copy(held_.begin(), held_.end(), place(head_.load(std::memory_order_relaxed)));
  publish(std::exchange(held_, {}).size());
}

std::size_t FrameRing::waiting() const {
  return head_.load(std::memory_order_acquire) - tail_.load(std::memory_order_relaxed);
}

Bytes FrameRing::peek(std::size_t i) const {
  const std::uint64_t number = tail_.load(std::memory_order_relaxed) + i;
  return {place(number), sizes_[number % frames_]};
}

void FrameRing::pop(std::size_t count) {
  tail_.store(tail_.load(std::memory_order_relaxed) + count, std::memory_order_release);
}

std::span<const Bytes> RingLink::receive() {
  count_ = std::min(in_.waiting(), burst_.size());
  for (std::size_t i = 0; i < count_; ++i) burst_[i] = in_.peek(i);
  return {burst_.data(), count_};
}

}  // namespace hotpair::bench::sync
