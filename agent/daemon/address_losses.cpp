#include "agent/daemon/address_losses.hpp"

#include <algorithm>

namespace hotpair::daemon {

void AddressLosses::reset(std::size_t addresses) {
  entries_.assign(addresses, {});
}

void AddressLosses::forget_pending() {
  for (Entry& entry : entries_) entry.due.reset();
}

void AddressLosses::lost(std::size_t index, Instant now) {
  Entry& entry = entries_.at(index);
  if (entry.due) return;
  if (entry.last && now - *entry.last > kForgiven) entry.pause = {};
  entry.due = entry.last ? std::max(now, *entry.last + entry.pause) : now;
}

std::vector<std::size_t> AddressLosses::take_due(Instant now) {
  std::vector<std::size_t> due;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (!entries_[i].due || *entries_[i].due > now) continue;
    entries_[i].due.reset();
    due.push_back(i);
  }
  return due;
}

void AddressLosses::put_back(std::size_t index, Instant now) {
  Entry& entry = entries_.at(index);
  ++entry.count;
  entry.last = now;
  entry.pause = std::clamp(2 * entry.pause, kFirstPause, kLongestPause);
}

void AddressLosses::failed(std::size_t index, Instant now) {
  entries_.at(index).due = now + kRetryPutBack;
}

std::optional<Instant> AddressLosses::next_due() const {
  std::optional<Instant> next;
  for (const Entry& entry : entries_)
    if (entry.due && (!next || *entry.due < *next)) next = entry.due;
  return next;
}

std::uint64_t AddressLosses::total() const {
  std::uint64_t sum = 0;
  for (const Entry& entry : entries_) sum += entry.count;
  return sum;
}

}  // namespace hotpair::daemon
