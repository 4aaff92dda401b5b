#include "dataplane/core/offers.hpp"

#include <algorithm>

namespace hotpair::dataplane {

bool Offers::add(const Session& session, Instant now) {
  if (waiting_.size() == kMost) return false;
  if (waiting_.empty()) next_at_ = now;
  waiting_.push_back(session);
  return true;
}

std::optional<Instant> Offers::next_deadline() const {
  if (waiting_.empty()) return std::nullopt;
  return next_at_;
}

void Offers::hand_out(Instant now, const std::function<bool(const Session&)>& take) {
  while (at_ < waiting_.size() && take(waiting_[at_])) ++at_;
  const bool pass_over = at_ >= waiting_.size();
  if (pass_over) ++passes_;
  next_at_ = now + (pass_over ? kPassEvery : kFrameEvery);
}

void Offers::settle(Instant now, const std::function<bool(const Session&)>& settled,
                    const std::function<void(const Session&)>& declined) {
  if (waiting_.empty() || at_ < waiting_.size() || now < next_at_) return;
  std::erase_if(waiting_, settled);
  at_ = 0;
  if (passes_ >= kPasses) {
    std::for_each(waiting_.begin(), waiting_.end(), declined);
    waiting_.clear();
  }
  if (waiting_.empty()) passes_ = 0;
}

}  // namespace hotpair::dataplane
