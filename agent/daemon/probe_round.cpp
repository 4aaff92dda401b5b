#include "agent/daemon/probe_round.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace hotpair::daemon {
namespace {

constexpr std::array<Duration, 5> kAskedAt{0ms, 100ms, 300ms, 700ms, 1500ms};
constexpr Duration kGivenUp = 2500ms;

std::optional<std::size_t> asker(const std::vector<OwnedAddress>& owned,
                                 const sys::Neighbour& neighbour) {
  for (std::size_t i = 0; i < owned.size(); ++i) {
    if (owned[i].announcement.ifindex != neighbour.ifindex ||
        owned[i].prefix.address.ipv6 != neighbour.address.ipv6)
      continue;
    if (sys::subnet_of({neighbour.address, owned[i].prefix.length}) ==
        sys::subnet_of(owned[i].prefix))
      return i;
  }
  return std::nullopt;
}

}  // namespace

ProbeRound::ProbeRound(const std::vector<OwnedAddress>& owned,
                       const std::vector<sys::Neighbour>& neighbours, Instant now)
    : began_(now), last_answer_(now) {
  for (const auto& neighbour : neighbours) {
    if (entries_.size() == kMostProbed) break;
    if (const auto index = asker(owned, neighbour)) entries_.push_back({{*index, neighbour}});
  }
}

std::vector<ProbeRound::Sending> ProbeRound::take_due(Instant now) {
  std::vector<Sending> due;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    if (entry.answered || entry.sent == kAskedAt.size() || now < began_ + kAskedAt[entry.sent])
      continue;
    due.push_back({i, entry.sent > 0});
    ++entry.sent;
  }
  return due;
}

void ProbeRound::heard(int ifindex, const sys::IpAddress& address, Instant now) {
  for (Entry& entry : entries_) {
    if (entry.answered || entry.sent == 0 || entry.question.to.ifindex != ifindex ||
        !(entry.question.to.address == address))
      continue;
    entry.answered = true;
    last_answer_ = now;
  }
}

Instant ProbeRound::next() const {
  Instant next = began_ + kGivenUp;
  for (const Entry& entry : entries_)
    if (!entry.answered && entry.sent < kAskedAt.size())
      next = std::min(next, began_ + kAskedAt[entry.sent]);
  return next;
}

bool ProbeRound::over(Instant now) const {
  return now >= began_ + kGivenUp || std::all_of(entries_.begin(), entries_.end(),
                                                 [](const Entry& entry) { return entry.answered; });
}

ProbeOutcome ProbeRound::outcome(const std::vector<OwnedAddress>& owned) const {
  ProbeOutcome outcome;
  outcome.asked = entries_.size();
  outcome.took = last_answer_ - began_;
  for (const Entry& entry : entries_) {
    if (entry.answered)
      ++outcome.answered;
    else
      outcome.silent.push_back(sys::to_text(entry.question.to.address) + " on " +
                               owned.at(entry.question.owned).device);
  }
  return outcome;
}

}  // namespace hotpair::daemon
