#include "tests/sim/network.hpp"

namespace hotpair::simulation {

void Network::send(int from, agent::PathId path, Bytes frame) {
  const Cable& c = cable(from, path);
  if (c.cut) return;
  if (rng_.below(1000) < c.loss_permille) return note(facts_, Fact::frame_lost);
  const int copies = rng_.below(1000) < c.duplicate_permille ? 2 : 1;
  if (copies == 2) note(facts_, Fact::frame_duplicated);
  Instant& newest = newest_arrival_[static_cast<std::size_t>(from)][path];
  for (int i = 0; i < copies; ++i) {
    Duration delay = c.delay;
    if (c.jitter.count() > 0)
      delay += Duration(rng_.below(static_cast<std::uint64_t>(c.jitter.count())));
    const Instant arrives = timeline_.now() + delay;
    if (arrives < newest) note(facts_, Fact::frame_reordered);
    newest = std::max(newest, arrives);
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(sent_.size()));
      sent_.emplace_back();
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    Sent& sent = sent_[slot];
    sent.from = from;
    sent.path = path;
    sent.frame.assign(frame.begin(), frame.end());
    timeline_.at(arrives, [this, slot] { arrive(slot); });
  }
}

void Network::arrive(std::uint32_t slot) {
  const Sent& sent = sent_[slot];
  deliver_(1 - sent.from, sent.path, sent.frame);
  free_.push_back(slot);  // not before: what is heard may be answered at once
}

bool Network::any_quiet_path(unsigned paths) const {
  for (agent::PathId path = 0; path < agent::kMaxPaths; ++path) {
    if ((paths >> path & 1u) == 0) continue;
    bool quiet = true;
    for (const auto& direction : cables_) {
      const Cable& c = direction[path];
      if (c.cut || c.loss_permille > 0 || c.jitter > 1ms) quiet = false;
    }
    if (quiet) return true;
  }
  return false;
}

}  // namespace hotpair::simulation
