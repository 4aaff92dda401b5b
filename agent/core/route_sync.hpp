// When routes are read, sent, installed and given up. `wait`, `hold` and `ttl` are FGCP's
// route-wait, route-hold and route-ttl: how long a change rests before it is sent, the least time
// between two updates, and how long the routes of the former primary stay on the new one while its
// own routing daemons converge.
//
// Pure: time comes in with the event, what is to be done goes out; the shell is agent/daemon's
// route_sync.
#pragma once

#include <optional>
#include <variant>

#include "platform/base/time.hpp"

namespace hotpair::agent {

struct RouteTimes {
  bool enabled = false;
  Duration hold = 10s, wait = 0s, ttl = 10s;
};

struct RoutePair {
  bool primary = false, peer_alive = false;
};
struct RoutesChanged {};  // something of this box's kernel: routes, neighbours, devices
struct RouteRoundEnded {  // on the primary
  bool good = false;
};
struct RoutesTaken {  // on the backup: the peer's table changed, or is the first
  bool whole = true;  // all that could be done in the kernel was done
};
struct RoutesReconciled {  // after RouteActions::reconcile
  Duration took{};
};
struct RouteTick {};
using RouteEvent = std::variant<RouteTimes, RoutePair, RoutesChanged, RouteRoundEnded, RoutesTaken,
                                RoutesReconciled, RouteTick>;

struct RouteActions {
  bool round = false;      // read the own table, offer it to the peer
  bool reconcile = false;  // compare what is held for the peer with the kernel, mend it
  bool give_up = false;    // remove what was held for the peer, and forget it
};

class RouteSync {
 public:
  // Answers with one action of each kind at most; a round and a reconciliation are each asked for
  // again only after their end was told.
  RouteActions step(Instant at, const RouteEvent& event);
  std::optional<Instant> next_deadline() const;

  bool sends() const { return times_.enabled && pair_.primary; }
  bool keeps() const { return times_.enabled && !pair_.primary; }
  // On the primary: the oldest change that the peer has not yet; none: it has everything.
  std::optional<Instant> unsent_since() const { return changed_; }
  // How long a change may wait before something is wrong.
  Duration longest_lag() const { return times_.hold + times_.wait + kGrace; }
  // When the routes of the former primary go.
  std::optional<Instant> ends_at() const { return held_ ? ends_ : std::nullopt; }

 private:
  static constexpr Duration kGrace = 2s;
  void note(Instant at, const RouteTimes& times);
  void note(Instant at, const RoutePair& pair);
  void note(Instant at, const RoutesChanged&);
  void note(Instant at, const RouteRoundEnded& ended);
  void note(Instant at, const RoutesTaken& taken);
  void note(Instant at, const RoutesReconciled& done);
  void note(Instant, const RouteTick&) {}
  std::optional<Instant> round_at() const;
  std::optional<Instant> reconcile_at() const;

  RouteTimes times_;
  RoutePair pair_;
  // Sending.
  std::optional<Instant> changed_;     // a change that no round has taken along
  std::optional<Instant> last_round_;  // when the last began
  std::optional<Instant> not_before_;  // after one that failed
  bool at_once_ = false;               // the peer is new: nothing is waited for
  bool in_round_ = false;
  std::optional<Instant> changed_in_round_;
  // Keeping.
  bool held_ = false;                 // something is held for the peer
  bool drop_ = false;                 // and is no longer wanted
  std::optional<Instant> ends_;       // ttl
  std::optional<Instant> disturbed_;  // the kernel's tables changed
  bool reconciling_ = false;
  Instant reconcile_not_before_{};
};

}  // namespace hotpair::agent
