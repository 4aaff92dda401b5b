// A table of route entries that two nodes compare by digests: the sender offers the digest of each
// bucket, the keeper names those that differ, and only these travel. So what crosses depends on
// what differs alone, and a connection that was lost costs a comparison, not a copy.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/core/route_entry.hpp"

namespace hotpair::agent {

constexpr std::size_t kMaxRouteEntries = 4'000'000;
constexpr std::uint32_t kMinRouteBuckets = 64, kMaxRouteBuckets = 65'536;

// One digest a bucket; how many there are says into how many the keys fall (a power of two).
using RouteDigests = std::vector<std::uint64_t>;

// So many that a changed entry takes about eight others along.
std::uint32_t route_buckets_for(std::size_t entries);
std::uint32_t route_bucket_of(const std::string& key, std::uint32_t buckets);

class RouteTable {
 public:
  using Entries = std::unordered_map<std::string, std::string>;

  void set(std::string key, std::string value) { entries_[std::move(key)] = std::move(value); }
  // The first of a key stays: so the kernel chooses among routes of one key.
  void add(RouteEntry entry) { entries_.try_emplace(std::move(entry.key), std::move(entry.value)); }
  void clear() { entries_.clear(); }
  const Entries& entries() const { return entries_; }
  std::size_t size() const { return entries_.size(); }
  std::size_t neighbours() const;

  RouteDigests digests(std::uint32_t buckets) const;

  // What makes this table equal to the sender's, after its entries of the `wanted` buckets came.
  struct Change {
    std::vector<RouteEntry> set;       // new or of another value
    std::vector<std::string> removed;  // by key
  };
  Change difference(const RouteTable& arrived, const std::vector<bool>& wanted) const;
  void apply(const Change& change);

  friend bool operator==(const RouteTable&, const RouteTable&) = default;

 private:
  Entries entries_;
};

// By bucket, whether they differ. Both of one size.
std::vector<bool> differing(const RouteDigests& one, const RouteDigests& other);

}  // namespace hotpair::agent
