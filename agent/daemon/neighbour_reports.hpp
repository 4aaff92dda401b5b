// What is told of the neighbours: whether they send to us after a takeover, and who else claims an
// address of ours. Belongs to the main loop; the asking is done elsewhere (neighbour_watch.hpp).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/daemon/address_operations.hpp"
#include "agent/daemon/neighbour_watch.hpp"
#include "platform/base/log.hpp"

namespace hotpair::daemon {

// A conflict is logged again, and forgotten, after this much time.
constexpr Duration kConflictMemory = 1min;

// Those held whose device exists and has a MAC address. `router`: whether a device forwards IPv6.
std::vector<OwnedAddress> owned_addresses(const std::vector<FloatingAddress>& addresses,
                                          const std::vector<bool>& held, const FindDevice& find,
                                          const std::function<bool(const std::string&)>& router);

class NeighbourReports {
 public:
  // Without a thread and sockets nothing is asked, and that is said.
  NeighbourReports(sys::EventLoop& loop, Log log);

  void announced(std::vector<OwnedAddress> held);
  void withdrawn();

  // {"asked", "answered", "took_ms", "time", "silent": [...]}; null before the first.
  const nlohmann::json& last() const { return last_; }
  std::vector<std::string> warnings(Instant now) const;

 private:
  void verified(const ProbeOutcome& outcome);
  void conflict(const AddressConflict& conflict);

  struct Conflict {
    std::string text;
    Instant seen, logged;
  };

  Log log_;
  nlohmann::json last_;
  std::map<std::string, Conflict> conflicts_;  // by address and device: as many as are held
  std::unique_ptr<NeighbourWatch> watch_;
};

}  // namespace hotpair::daemon
