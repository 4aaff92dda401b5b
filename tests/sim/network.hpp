// The cables between the two boxes: for each path and direction delay, jitter (which reorders),
// loss, duplication and a cut.
#pragma once

#include <array>
#include <deque>
#include <vector>

#include "agent/core/types.hpp"
#include "platform/base/bytes.hpp"
#include "platform/base/rng.hpp"
#include "tests/sim/facts.hpp"
#include "tests/sim/timeline.hpp"

namespace hotpair::simulation {

struct Cable {
  bool cut = false;
  Duration delay = 100us, jitter{};
  unsigned loss_permille = 0, duplicate_permille = 0;
};

class Network {
 public:
  using Deliver = std::function<void(int to, agent::PathId path, Bytes frame)>;

  Network(Timeline& timeline, Rng rng, Facts& facts, Deliver deliver)
      : timeline_(timeline), rng_(rng), facts_(facts), deliver_(std::move(deliver)) {}

  void send(int from, agent::PathId path, Bytes frame);
  // The direction away from box `from` (0 or 1).
  Cable& cable(int from, agent::PathId path) {
    return cables_[static_cast<std::size_t>(from)][path];
  }
  bool any_quiet_path(unsigned paths) const;  // some path that works both ways without loss

 private:
  void arrive(std::uint32_t slot);

  // On its way. The slots are used again, so that a frame costs no allocation.
  struct Sent {
    int from = 0;
    agent::PathId path = 0;
    std::vector<std::uint8_t> frame;
  };

  Timeline& timeline_;
  std::deque<Sent> sent_;
  std::vector<std::uint32_t> free_;
  Rng rng_;
  Facts& facts_;
  Deliver deliver_;
  std::array<std::array<Cable, agent::kMaxPaths>, 2> cables_{};
  std::array<std::array<Instant, agent::kMaxPaths>, 2> newest_arrival_{};
};

}  // namespace hotpair::simulation
