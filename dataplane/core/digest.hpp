// The digest of a session table: for each of 4096 buckets the exclusive or of its sessions'
// digests, kept up to date with each change. Equal digests prove equal content but for a chance of
// 2^-64 a bucket.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <functional>
#include <numeric>

#include "dataplane/core/session_key.hpp"

namespace hotpair::dataplane {

using BucketSet = std::bitset<kBuckets>;

class DigestTable {
 public:
  // 0 stands for "no session": replace(b, 0, d) adds, replace(b, d, 0) removes.
  void replace(std::uint32_t bucket, std::uint64_t from, std::uint64_t to) {
    buckets_[bucket] ^= from ^ to;
    sessions_ += static_cast<std::uint64_t>(to != 0) - static_cast<std::uint64_t>(from != 0);
  }
  void prefetch(std::uint32_t bucket) const { __builtin_prefetch(&buckets_[bucket], 1); }
  std::uint64_t bucket(std::uint32_t b) const { return buckets_[b]; }
  // Of all sessions; made when it is asked for, since buckets change far more often.
  std::uint64_t root() const {
    return std::accumulate(buckets_.begin(), buckets_.end(), std::uint64_t{0}, std::bit_xor<>{});
  }
  std::uint64_t sessions() const { return sessions_; }
  void clear() { *this = DigestTable{}; }

 private:
  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t sessions_ = 0;
};

}  // namespace hotpair::dataplane
