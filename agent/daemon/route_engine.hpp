// Route sync at work: rounds that the primary begins, changes that the backup takes over, and what
// both do with this box's kernel. What happens when is agent/core/route_sync's. Shared by the
// companion's thread and by the connections of the peer; it may outlive the companion.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "agent/core/route_sync.hpp"
#include "agent/daemon/peer_calls.hpp"
#include "agent/daemon/route_installer.hpp"
#include "platform/base/log.hpp"
#include "platform/linux/message_stream.hpp"

namespace hotpair::daemon {

// The peer may be installing 100,000 routes on a slow box.
constexpr Duration kRoutePatience = 30s;

// While a node starts, the way to its peer takes a moment to be there; a second lies between two
// rounds that fail.
constexpr int kFailuresToSay = 3;

// For status.
struct RouteState {
  bool enabled = false, sends = false, keeps = false;
  std::string error;  // why the last round, or work in the kernel, came to nothing
  std::size_t routes = 0, neighbours = 0;  // of this node, offered; or of the peer, held
  sys::RoutesLeftOut left_out;
  std::uint64_t nameless = 0;
  agent::RouteOutcome outcome;  // in the backup's kernel
  bool known = false;           // the two tables were compared since they met
  std::string last_change;      // wall clock
  Duration last_took{};         // of the last round; on the backup, of the last change
  std::optional<Instant> unsent_since, ends_at;
  Duration longest_lag{};
  int failed_in_a_row = 0;  // rounds
  std::uint64_t rounds = 0, failed = 0, entries_sent = 0, bytes_sent = 0;
  std::uint64_t changes_taken = 0, entries_taken = 0, reconciled = 0, given_up = 0, malformed = 0;
};

class RouteEngine {
 public:
  struct Kernel {
    sys::RouteTables tables;
    sys::RouteWatch routes, neighbours;
  };
  static Result<Kernel> open_kernel();
  RouteEngine(PeerCalls::Dial dial, Kernel kernel, Log log);

  // Any thread; what they lead to is done in the next turn().
  void set_rules(const RouteRules& rules);
  void post(const agent::RouteEvent& event);
  // Ends the connection of a round: the peer is gone, or we go (then nothing begins any more).
  void cut();
  void stop();
  RouteState state() const;

  // The companion's thread: does what is due; when to come back at the latest, or when one of these
  // can be read. What was heard is not listened for again before the tables were read: under a
  // storm of changes the next one tells nothing new.
  void turn();
  std::pair<int, int> watched() const;  // routes and neighbours; -1: not now
  void heard(bool routes, bool neighbours);
  std::optional<Instant> next_deadline() const;
  // At the start and the end: what is left of an agent, of an earlier one too.
  void clean_up();

  // Serves a connection of the peer until it ends.
  void serve(sys::FileDescriptor socket);

 private:
  void carry_out(const agent::RouteActions& actions);
  void round();
  void reconcile();
  void give_up();
  // What the kernel's tables were not read since, by one of their readers.
  struct Unread {
    std::atomic<bool> routes{true}, neighbours{true};
    void set() { routes = neighbours = true; }
  };
  void mark_unread(bool routes, bool neighbours);
  void absorb();
  Status exchange(agent::RouteOutcome& outcome);
  Status read_own();
  Status send_entries(sys::MessageStream& stream, const std::vector<bool>& wanted);
  bool serve_round(sys::MessageStream& stream, const sys::Message& first);
  Status take(const agent::RouteOffer& offer, const std::vector<bool>& wanted,
              const agent::RouteTable& arrived, std::uint64_t generation,
              agent::RouteOutcome& outcome);
  std::string reason_to_refuse() const;
  void note_held(const std::string& error);

  PeerCalls calls_;
  Log log_;
  Unread own_unread_, held_unread_;
  std::atomic<bool> stopping_{false};

  sys::RouteWatch routes_, neighbours_;  // the companion's thread
  std::mutex turns_;  // held by whoever reads or changes the kernel's tables, or the two below
  sys::RouteTables kernel_;
  RouteInstaller installer_;
  OwnRoutes own_;
  std::uint64_t generation_ = 0;  // of what is held for the peer

  mutable std::mutex state_mutex_;
  agent::RouteSync core_;
  std::vector<std::pair<Instant, agent::RouteEvent>> posted_;
  RouteRules rules_;
  RouteState state_;  // of what this node offers
  RouteState held_;   // of what it holds for the peer: error, counts and outcome
};

}  // namespace hotpair::daemon
