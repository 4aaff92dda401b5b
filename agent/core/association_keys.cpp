#include "agent/core/association_keys.hpp"

namespace hotpair::agent {

void UnknownKeys::frame_seen() {
  if (++frames_ % kEarnedEvery == 0 && tokens_ < kMostTokens) ++tokens_;
}

DirectionKeys* UnknownKeys::find(const Direction& direction) {
  for (std::size_t i = 0; i < used_; ++i)
    if (cache_[i].direction == direction) return &cache_[i];
  if (tokens_ == 0) return nullptr;
  DirectionKeys& slot = cache_[next_];
  slot = DirectionKeys{direction, {}};
  next_ = (next_ + 1) % kCached;
  if (used_ < kCached) ++used_;
  return &slot;
}

bool UnknownKeys::may_derive() {
  if (tokens_ == 0) return false;
  --tokens_;
  return true;
}

void UnknownKeys::clear() {
  used_ = 0;
  next_ = 0;
}

}  // namespace hotpair::agent
