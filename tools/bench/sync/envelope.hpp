// Frames between a link and the bodies that the engine reads and writes, and the clock of the
// stages.
#pragma once

#include <vector>

#include "dataplane/dpdk/frame_io.hpp"
#include "tools/bench/sync/frame_link.hpp"
#include "tools/bench/sync/measures.hpp"

namespace hotpair::bench::sync {

// Adds the time since the last call to a stage.
class StageClock {
 public:
  explicit StageClock(StageTimes& times) : times_(&times) {}
  void into(StageTimes& times) { times_ = &times; }
  void start();
  void stop(Stage stage);
  void add(Stage stage, Duration d) { (*times_)[static_cast<std::size_t>(stage)] += d; }

 private:
  StageTimes* times_;
  Instant last_{};
};

// Frames between a link and bodies: sealed as hotpair-dataplane seals them, or as they are.
class Envelope {
 public:
  Envelope(FrameLink& link, bool sealed, bool primary, const dpdk::Mac& mac);

  std::size_t body_room() const { return link_.max_frame() - dpdk::kFrameOverhead; }
  MutableBytes begin();  // room for a body; empty: none now
  // The frame's size; 0 is given back.
  std::size_t end(std::size_t body_size);
  void give_up() { link_.commit(0); }
  Bytes open(Bytes frame);  // empty when it is not one of ours
  FrameLink& link() { return link_; }

 private:
  FrameLink& link_;
  bool sealed_;
  dpdk::Counters counters_;
  dpdk::FrameIo frames_;
  dpdk::Wire wire_;
  MutableBytes frame_;
  std::vector<std::uint8_t> scratch_;
};

}  // namespace hotpair::bench::sync
