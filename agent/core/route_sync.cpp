#include "agent/core/route_sync.hpp"

#include <algorithm>
#include <utility>

namespace hotpair::agent {
namespace {

// A daemon that installs a table makes many changes in a row; one update takes them all.
constexpr Duration kSettle = 100ms;
constexpr Duration kRetry = 1s;
// Reconciling may read the kernel's whole tables; it takes a tenth of one CPU at most.
constexpr Duration kReconcileDistance = 1s;
constexpr int kReconcileShare = 10;

}  // namespace

void RouteSync::note(Instant at, const RouteTimes& times) {
  if (times_.enabled && !times.enabled) drop_ = true;
  times_ = times;
  if (!changed_) changed_ = at;
}

void RouteSync::note(Instant at, const RoutePair& pair) {
  const RoutePair before = std::exchange(pair_, pair);
  if (pair.primary && !before.primary) {
    ends_ = at + times_.ttl;
    changed_ = at;
    at_once_ = true;
    // What waited for a macvlan to come up waits no longer.
    disturbed_ = at;
    reconcile_not_before_ = at;
  }
  if (!pair.primary) ends_.reset();
  if (pair.peer_alive && !before.peer_alive) {
    changed_ = at;
    at_once_ = true;
    not_before_.reset();
  }
}

void RouteSync::note(Instant at, const RoutesChanged&) {
  auto& noted = in_round_ ? changed_in_round_ : changed_;
  if (!noted) noted = at;
  if (held_ && !disturbed_) disturbed_ = at;
}

void RouteSync::note(Instant at, const RouteRoundEnded& ended) {
  in_round_ = false;
  if (ended.good) {
    changed_ = changed_in_round_;
    at_once_ = false;
    not_before_.reset();
  } else {
    not_before_ = at + kRetry;
  }
  changed_in_round_.reset();
}

void RouteSync::note(Instant at, const RoutesTaken& taken) {
  held_ = true;
  if (!taken.whole && !disturbed_) disturbed_ = at;
}

void RouteSync::note(Instant at, const RoutesReconciled& done) {
  reconciling_ = false;
  reconcile_not_before_ = at + std::max(kReconcileDistance, done.took * kReconcileShare);
}

std::optional<Instant> RouteSync::round_at() const {
  if (!sends() || !pair_.peer_alive || in_round_ || !changed_) return std::nullopt;
  Instant due = *changed_;
  if (!at_once_) {
    due += std::max(times_.wait, kSettle);
    if (last_round_) due = std::max(due, *last_round_ + times_.hold);
  }
  return not_before_ ? std::max(due, *not_before_) : due;
}

std::optional<Instant> RouteSync::reconcile_at() const {
  if (!held_ || drop_ || reconciling_ || !disturbed_) return std::nullopt;
  return std::max(*disturbed_, reconcile_not_before_);
}

std::optional<Instant> RouteSync::next_deadline() const {
  std::optional<Instant> earliest;
  for (const auto& each : {round_at(), reconcile_at(), ends_at()})
    if (each && (!earliest || *each < *earliest)) earliest = each;
  return earliest;
}

RouteActions RouteSync::step(Instant at, const RouteEvent& event) {
  std::visit([&](const auto& what) { note(at, what); }, event);
  RouteActions actions;
  if (const auto ends = ends_at(); ends && *ends <= at) drop_ = true;
  if (std::exchange(drop_, false) && std::exchange(held_, false)) {
    actions.give_up = true;
    disturbed_.reset();
  }
  if (const auto due = reconcile_at(); due && *due <= at) {
    actions.reconcile = true;
    reconciling_ = true;
    disturbed_.reset();
  }
  if (const auto due = round_at(); due && *due <= at) {
    actions.round = true;
    in_round_ = true;
    last_round_ = at;
  }
  return actions;
}

}  // namespace hotpair::agent
