// The peer's routes and neighbours in this box's kernel, under a protocol number of their own. What
// it did not install it neither changes nor removes: a route or neighbour that this box has there
// already stands, and the peer's is installed when it goes. One thread at a time.
#pragma once

#include <string>
#include <unordered_map>

#include "agent/daemon/route_reader.hpp"

namespace hotpair::daemon {

class RouteInstaller {
 public:
  explicit RouteInstaller(sys::RouteTables& kernel) : kernel_(kernel) {}

  const agent::RouteTable& wanted() const { return wanted_; }

  // Takes over what changed at the peer.
  void update(const RouteNames& names, const agent::RouteTable::Change& change);
  // Compares all that is wanted with all that is there, and mends the difference.
  enum class Scope : std::uint8_t { neighbours, everything };
  Status reconcile(const RouteNames& names, Scope scope);
  // Removes everything under our protocol, whoever's agent put it there, and forgets what was
  // wanted.
  Status remove_all();

  // By what became of them; `ok` and `text` are not about that.
  agent::RouteOutcome outcome() const;

 private:
  enum class State : std::uint8_t { waiting, installed, own, refused };
  struct Work {
    std::vector<sys::RouteChange> changes;
    std::vector<std::string> keys;  // of each; empty: a removal
  };
  struct Present {
    std::unordered_map<std::string, bool> keys;  // true: ours
    std::vector<sys::RouteChange> stray;         // ours, and not wanted
  };
  void install(const RouteNames& names, const std::string& key, const std::string& value,
               Work& work);
  void remove(const RouteNames& names, const std::string& key, Work& work);
  void carry_out(Work& work);
  Status look(const RouteNames& names, Scope scope, Present& present);
  void note(const std::string& key, bool ours, const sys::RouteChange& removal, Present& present);

  sys::RouteTables& kernel_;
  agent::RouteTable wanted_;
  std::unordered_map<std::string, State> states_;
  std::string last_refusal_;
};

// As remove_all(), for whoever has no installer. How many it removed.
Result<std::size_t> remove_synchronised_routes();

}  // namespace hotpair::daemon
