#include "agent/core/element_table.hpp"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "platform/base/rng.hpp"

namespace hotpair::agent {
namespace {

// An element that packets renew is told again once its end has moved by a sixteenth of its time, so
// that a busy one does not travel each second. Below half a second no move is worth a word.
constexpr Duration kLeastMove = 500ms, kMostMove = 30s;
constexpr int kMoves = 16;
// So close to its end it may be gone from a kernel already.
constexpr Duration kAlmostOver = 1s;
constexpr std::uint64_t kFnvBasis = 0xcbf29ce484222325, kFnvPrime = 0x100000001b3;

std::uint64_t fnv(std::uint64_t hash, const std::string& text) {
  for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * kFnvPrime;
  return hash;
}

// Longer than a century is never.
Instant end_of(const SetElement& element, Instant now) {
  constexpr std::uint64_t kCentury = 3'155'760'000'000;
  if (element.left_ms == 0 || element.left_ms > kCentury) return Instant::max();
  return now + std::chrono::milliseconds(element.left_ms);
}

std::uint64_t left_until(Instant ends, Instant now) {
  if (ends == Instant::max()) return 0;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(to_ms(ends - now), 1));
}

}  // namespace

bool ElementTable::is_as_told(const Entry& entry, const SetElement& element, Instant now) {
  if (entry.value != element.value || entry.timeout_ms != element.timeout_ms) return false;
  const Instant ends = end_of(element, now);
  if (ends == entry.ends) return true;
  if (ends == Instant::max() || entry.ends == Instant::max()) return false;
  const Duration moved = ends > entry.ends ? ends - entry.ends : entry.ends - ends;
  return moved <=
         std::clamp(Duration(std::max(ends, entry.ends) - now) / kMoves, kLeastMove, kMostMove);
}

ElementChange ElementTable::difference(const std::vector<SetElement>& found, Instant now) {
  ElementChange change;
  for (const SetElement& element : found) {
    const auto known = entries_.find(element.key);
    if (known != entries_.end()) known->second.seen = true;
    if (known == entries_.end() || !is_as_told(known->second, element, now))
      change.set.push_back(element);
  }
  in_doubt_ = false;
  for (auto& [key, entry] : entries_) {
    const bool seen = std::exchange(entry.seen, false);
    const bool before = std::exchange(entry.missing, !seen);
    if (seen) continue;
    if (before || entry.ends <= now)
      change.removed.push_back(key);
    else
      in_doubt_ = true;
  }
  return change;
}

void ElementTable::apply(const ElementChange& change, Instant now) {
  for (const std::string& key : change.removed) entries_.erase(key);
  for (const SetElement& element : change.set)
    entries_[element.key] = {element.value,        element.state, element.timeout_ms,
                             end_of(element, now), false,         false};
}

ElementChange ElementTable::repair(const std::vector<SetElement>& found, Instant now) const {
  ElementChange change;
  std::unordered_set<std::string_view> good;
  for (const SetElement& element : found) {
    const auto known = entries_.find(element.key);
    if (known != entries_.end() && known->second.ends > now &&
        is_as_told(known->second, element, now))
      good.insert(known->first);
    else
      change.removed.push_back(element.key);
  }
  for (const auto& [key, entry] : entries_)
    if (entry.ends > now && !good.contains(key))
      change.set.push_back(
          {key, entry.value, entry.state, entry.timeout_ms, left_until(entry.ends, now)});
  return change;
}

ElementChange ElementTable::follow(const ElementChange& change, Instant now) const {
  ElementChange done;
  const auto remove = [&](const std::string& key) {
    const auto known = entries_.find(key);
    if (known != entries_.end() && known->second.ends > now + kAlmostOver)
      done.removed.push_back(key);
  };
  for (const std::string& key : change.removed) remove(key);
  for (const SetElement& element : change.set) remove(element.key);
  done.set = change.set;
  return done;
}

std::uint64_t ElementTable::digest() const {
  std::uint64_t sum = 0;
  for (const auto& [key, entry] : entries_)
    sum += mix(fnv(fnv(kFnvBasis, key) * kFnvPrime, entry.value));
  return sum;
}

}  // namespace hotpair::agent
