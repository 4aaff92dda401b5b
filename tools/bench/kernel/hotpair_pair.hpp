// Two hotpair-dataplane, one box each. The bench plays both agents: it gives the keys and the
// roles, so that nothing but the data planes is measured.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "dataplane/core/control.hpp"
#include "tools/bench/kernel/replicator.hpp"

namespace hotpair::bench::kernel {

class HotpairPair final : public Replicator {
 public:
  HotpairPair(const TwoBoxes& boxes, std::string directory,
              HotpairSetup setup);  // `boxes` outlives it
  ~HotpairPair() override;

  Status start(int box);  // 0: the primary, first; 1: the backup
  // Kills that end's data plane as a crash would, and starts another; both get new keys.
  Status kill_and_restart(int box);
  Status work() override;
  bool ready() override;  // the tables are proven equal
  using Replicator::cpu_seconds;
  double cpu_seconds(int end) const override;
  std::uint64_t sessions() const;  // in the primary's table, as it last said

 private:
  class Dataplane;
  void draw_keys();
  dataplane::control::SetKeys keys_of(int box) const;
  const TwoBoxes& boxes_;
  std::string directory_;
  HotpairSetup setup_;
  std::array<std::unique_ptr<Dataplane>, 2> ends_;
  dataplane::control::SetKeys keys_;
};

}  // namespace hotpair::bench::kernel
