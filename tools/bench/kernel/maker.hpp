// Makes sessions in one box's kernel, in a thread of its own as traffic would: nothing waits for
// the replicator. By packets that are tracked, as on a firewall, or by ctnetlink: that makes any
// kind of session, assured at once, but waits for whoever else asks ctnetlink, in any namespace.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <thread>

#include "platform/base/time.hpp"
#include "tools/bench/kernel/two_boxes.hpp"

namespace hotpair::bench::kernel {

struct Load {
  std::uint32_t sessions = 200'000;
  std::uint32_t rate = 0;       // new ones a second; 0: as fast as the kernel takes them
  bool packets = false;         // of a box that is prepared for them (PacketTraffic)
  std::optional<unsigned> cpu;  // this one alone
};

class Maker {
 public:
  // `boxes` outlives it. Begins at once, in box 0.
  Maker(const TwoBoxes& boxes, const Load& load)
      : thread_([this, &boxes, load] { outcome_ = make(boxes, load); }) {}
  Maker(const Maker&) = delete;
  Maker& operator=(const Maker&) = delete;
  ~Maker() { (void)join(); }

  std::uint32_t made() const { return made_; }
  bool done() const { return done_; }
  void stop() { over_ = true; }  // of what is made by packets
  Status join();                 // how it went

 private:
  Status make(const TwoBoxes& boxes, const Load& load);
  Status make_by_packets(const TwoBoxes& boxes, const Load& load);
  Status make_by_ctnetlink(const TwoBoxes& boxes, const Load& load);
  void note(std::uint32_t made, const Load& load, Instant began);

  std::atomic<std::uint32_t> made_{0};
  std::atomic<bool> done_{false}, over_{false};
  Status outcome_ = Ok{};
  std::thread thread_;
};

}  // namespace hotpair::bench::kernel
