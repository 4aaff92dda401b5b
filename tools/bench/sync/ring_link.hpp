// Two rings of frames between two threads, one each way, as a NIC and a cable would be: bounded,
// and on request it loses frames and lets some be overtaken, as a seed says.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "platform/base/rng.hpp"
#include "tools/bench/sync/frame_link.hpp"

namespace hotpair::bench::sync {

struct Faults {
  double loss_percent = 0, reorder_percent = 0;
};

// One writer thread, one reader thread.
class FrameRing {
 public:
  // For so many frames under way. No more: a NIC's buffers are used again and again too, and those
  // of a longer ring would push the tables out of the caches.
  FrameRing(std::size_t frames, std::size_t max_frame, Faults faults, std::uint64_t seed);

  std::size_t max_frame() const { return max_frame_; }
  MutableBytes begin();
  void commit(std::size_t size);
  std::size_t waiting() const;  // to be read
  Bytes peek(std::size_t i) const;
  void pop(std::size_t count);

 private:
  static constexpr std::size_t kSpare = 2;  // so that a frame that was held back always finds one
  static constexpr std::uint64_t kOvertakenBy = 3;

  std::uint8_t* place(std::uint64_t number) const {
    return bytes_.get() + number % frames_ * stride_;
  }
  void publish(std::size_t size);
  bool happens(double percent);

  // Each frame has pages of its own: where one follows another, the reader's processor fetches
  // ahead what the writer is writing, and each holds the other up as no NIC does.
  static constexpr std::size_t kPage = 4096;
  struct Free {
    void operator()(std::uint8_t* p) const { std::free(p); }
  };

  std::size_t frames_, max_frame_, stride_;
  Faults faults_;
  Rng rng_;
  std::unique_ptr<std::uint8_t[], Free> bytes_;
  std::vector<std::uint32_t> sizes_;
  std::vector<std::uint8_t> held_;  // overtaken until held_until_
  std::uint64_t held_until_ = 0, committed_ = 0;
  alignas(64) std::atomic<std::uint64_t> head_{0};  // written
  alignas(64) std::atomic<std::uint64_t> tail_{0};  // read
};

class RingLink final : public FrameLink {
 public:
  RingLink(FrameRing& out, FrameRing& in) : out_(out), in_(in) {}
  std::size_t max_frame() const override { return out_.max_frame(); }
  MutableBytes begin_frame() override { return out_.begin(); }
  void commit(std::size_t size) override { out_.commit(size); }
  std::span<const Bytes> receive() override;
  void release() override { in_.pop(count_); }

 private:
  FrameRing& out_;
  FrameRing& in_;
  std::array<Bytes, 16> burst_;
  std::size_t count_ = 0;
};

}  // namespace hotpair::bench::sync
