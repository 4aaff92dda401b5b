// What an upgrade needs to know of the pair, from the status of the agent beside it; and what is
// wrong with a pair that one of its nodes shall be taken out of. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace hotpair::ctl::upgrade {

struct NodeView {
  int chassis = 0;
  bool alive = false;  // heard; of the node itself: its agent answers
  std::string name, role, forced, version;
  unsigned protocol_lowest = 0, protocol_highest = 0;
  std::uint64_t sessions = 0;
  std::vector<std::string> lost_interfaces;
  std::string lacks;  // of logical systems that the other has
  std::uint64_t failed_modules = 0;
};

struct PairView {
  NodeView self, peer;
  bool peer_known = false;
  bool in_sync = false, session_pickup = false;
  std::optional<unsigned> agreed;  // version of the protocol
  bool dual_primary = false;
  std::string conflict, suppressed;

  const NodeView& node(int chassis) const { return chassis == self.chassis ? self : peer; }
  bool synced() const { return in_sync || !session_pickup; }
};

// None: not the status of an agent.
std::optional<PairView> view_of(const nlohmann::json& status);

// Why no upgrade can begin; empty: it can.
std::string why_not_to_begin(const PairView& pair);

// What `node` lacks to be a backup that could take over; empty: nothing.
std::string why_not_ready(const PairView& pair, int node);

}  // namespace hotpair::ctl::upgrade
