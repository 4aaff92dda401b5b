#include "agent/core/route_table.hpp"

#include <algorithm>
#include <bit>

#include "platform/base/assert.hpp"
#include "platform/base/rng.hpp"

namespace hotpair::agent {
namespace {

constexpr std::size_t kEntriesABucket = 8;

// FNV-1a, and mix() behind it: FNV's upper bits are weak on short keys.
constexpr std::uint64_t kFnvBasis = 0xcbf29ce484222325, kFnvPrime = 0x100000001b3;

std::uint64_t fnv(std::uint64_t hash, const std::string& text) {
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * kFnvPrime;
  return hash;
}

std::uint32_t bucket_of_hash(std::uint64_t key_hash, std::uint32_t buckets) {
  return static_cast<std::uint32_t>(mix(key_hash) & (buckets - 1));
}

}  // namespace

std::uint32_t route_buckets_for(std::size_t entries) {
  const auto wanted = std::bit_ceil(entries / kEntriesABucket + 1);
  return static_cast<std::uint32_t>(
      std::clamp<std::size_t>(wanted, kMinRouteBuckets, kMaxRouteBuckets));
}

std::uint32_t route_bucket_of(const std::string& key, std::uint32_t buckets) {
  return bucket_of_hash(fnv(kFnvBasis, key), buckets);
}

std::size_t RouteTable::neighbours() const {
  return static_cast<std::size_t>(
      std::count_if(entries_.begin(), entries_.end(),
                    [](const auto& entry) { return is_neighbour_key(entry.first); }));
}

RouteDigests RouteTable::digests(std::uint32_t buckets) const {
  HOTPAIR_ASSERT(std::has_single_bit(buckets));
  RouteDigests sums(buckets);
  for (const auto& [key, value] : entries_) {
    const std::uint64_t key_hash = fnv(kFnvBasis, key);
    // A prime more between the two, so that no byte can move from one to the other unseen.
    sums[bucket_of_hash(key_hash, buckets)] += mix(fnv(key_hash * kFnvPrime, value));
  }
  return sums;
}

RouteTable::Change RouteTable::difference(const RouteTable& arrived,
                                          const std::vector<bool>& wanted) const {
  Change change;
  for (const auto& [key, value] : arrived.entries_) {
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second != value) change.set.push_back({key, value});
  }
  const auto buckets = static_cast<std::uint32_t>(wanted.size());
  for (const auto& [key, value] : entries_)
    if (wanted[route_bucket_of(key, buckets)] && !arrived.entries_.contains(key))
      change.removed.push_back(key);
  return change;
}

void RouteTable::apply(const Change& change) {
  for (const auto& key : change.removed) entries_.erase(key);
  for (const auto& entry : change.set) entries_[entry.key] = entry.value;
}

std::vector<bool> differing(const RouteDigests& one, const RouteDigests& other) {
  HOTPAIR_ASSERT(one.size() == other.size());
  std::vector<bool> result(one.size());
  for (std::size_t i = 0; i < one.size(); ++i) result[i] = one[i] != other[i];
  return result;
}

}  // namespace hotpair::agent
