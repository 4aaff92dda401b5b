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

std::uint64_t digest_of(const std::string& key, const std::string& value) {
  return mix(fnv(fnv(kFnvBasis, key) * kFnvPrime, value));
}

using Latest = std::unordered_map<std::string_view, const ElementReport*>;

// Of several reports of one element the last one counts.
Latest latest_of(const std::vector<ElementReport>& reports) {
  Latest latest;
  for (const ElementReport& report : reports) latest[report.element.key] = &report;
  return latest;
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

ElementChange ElementTable::difference(const std::vector<ElementReport>& reports,
                                       Instant now) const {
  ElementChange change;
  for (const auto& [key, report] : latest_of(reports)) {
    const auto known = entries_.find(report->element.key);
    if (report->gone) {
      if (known != entries_.end()) change.removed.push_back(known->first);
    } else if (known == entries_.end() || !is_as_told(known->second, report->element, now)) {
      change.set.push_back(report->element);
    }
  }
  return change;
}

ElementChange ElementTable::ended(Instant now) {
  ElementChange change;
  if (now < first_end_) return change;
  first_end_ = Instant::max();
  for (const auto& [key, entry] : entries_)
    if (entry.ends <= now)
      change.removed.push_back(key);
    else
      first_end_ = std::min(first_end_, entry.ends);
  return change;
}

void ElementTable::apply(const ElementChange& change, Instant now) {
  for (const std::string& key : change.removed) erase(key);
  for (const SetElement& element : change.set) {
    erase(element.key);
    const Instant ends = end_of(element, now);
    entries_[element.key] = {element.value, element.state, element.timeout_ms, ends, false, false};
    digest_ += digest_of(element.key, element.value);
    first_end_ = std::min(first_end_, ends);
  }
}

void ElementTable::erase(const std::string& key) {
  const auto known = entries_.find(key);
  if (known == entries_.end()) return;
  digest_ -= digest_of(known->first, known->second.value);
  entries_.erase(known);
}

void ElementTable::clear() {
  entries_.clear();
  digest_ = 0;
  first_end_ = Instant::max();
}

SetElement ElementTable::as_told(const std::string& key, const Entry& entry, Instant now) {
  return {key, entry.value, entry.state, entry.timeout_ms, left_until(entry.ends, now)};
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
    if (entry.ends > now && !good.contains(key)) change.set.push_back(as_told(key, entry, now));
  return change;
}

ElementChange ElementTable::repair(const std::vector<ElementReport>& reports, Instant now) const {
  ElementChange change;
  for (const auto& [key, report] : latest_of(reports)) {
    const auto known = entries_.find(report->element.key);
    const bool wanted = known != entries_.end() && known->second.ends > now;
    if (!report->gone && wanted && is_as_told(known->second, report->element, now)) continue;
    if (!report->gone) change.removed.push_back(report->element.key);
    if (wanted) change.set.push_back(as_told(known->first, known->second, now));
  }
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

}  // namespace hotpair::agent
