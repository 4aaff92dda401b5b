#include "tools/ctl/upgrade/pair_view.hpp"

#include "platform/base/words.hpp"
#include "tools/ctl/json_access.hpp"

namespace hotpair::ctl::upgrade {
namespace {

using nlohmann::json;

NodeView node_of(const json& node, const json& protocol) {
  NodeView view;
  view.chassis = static_cast<int>(count(node, "chassis_id"));
  view.name = text(node, "hostname");
  if (view.name.empty()) view.name = "node " + std::to_string(view.chassis);
  view.role = text(node, "role");
  view.forced = text(node, "forced");
  view.version = text(node, "version");
  view.protocol_lowest = static_cast<unsigned>(count(protocol, "lowest"));
  view.protocol_highest = static_cast<unsigned>(count(protocol, "highest"));
  view.sessions = count(node, "sessions");
  for (const json& interface : child(node, "lost_interfaces"))
    if (interface.is_string()) view.lost_interfaces.push_back(interface.get<std::string>());
  view.lacks = text(node, "lacks");
  view.failed_modules = count(child(node, "health"), "failed_modules");
  return view;
}

std::string unwell(const NodeView& node) {
  if (node.forced == "maintenance")
    return node.name + " is in maintenance; end it first: 'hotpair maintenance off' there";
  if (node.forced != "none")
    return node.name + " is forced to " + node.forced + "; 'hotpair force none' there first";
  if (!node.lost_interfaces.empty())
    return node.name + " has lost " + joined(node.lost_interfaces) + "; see 'hotpair doctor'";
  if (!node.lacks.empty()) return node.name + " lacks " + node.lacks;
  if (node.failed_modules > 0)
    return node.name + " has " + std::to_string(node.failed_modules) +
           " failed modules; see 'hotpair doctor'";
  return "";
}

}  // namespace

std::optional<PairView> view_of(const json& status) {
  if (!flag(status, "ok") || !child(status, "node").is_object()) return std::nullopt;
  const json& protocol = child(status, "protocol");
  PairView view;
  view.self = node_of(child(status, "node"), child(protocol, "node"));
  view.self.alive = true;
  view.self.version = text(status, "version");
  if (view.self.chassis != 1 && view.self.chassis != 2) return std::nullopt;
  const json& peer = child(status, "peer");
  view.peer_known = peer.is_object();
  if (view.peer_known) {
    view.peer = node_of(peer, child(protocol, "peer"));
    view.peer.alive = flag(peer, "alive");
  }
  view.peer.chassis = 3 - view.self.chassis;
  view.in_sync = flag(status, "in_sync");
  view.session_pickup = flag(status, "session_pickup");
  if (child(protocol, "agreed").is_number_unsigned())
    view.agreed = static_cast<unsigned>(count(protocol, "agreed"));
  view.dual_primary = flag(status, "dual_primary");
  view.conflict = text(status, "conflict");
  view.suppressed = text(status, "suppressed");
  return view;
}

std::string why_not_to_begin(const PairView& pair) {
  if (!pair.peer_known || !pair.peer.alive)
    return "the other node is not heard: nobody could carry the traffic meanwhile; see 'hotpair "
           "doctor'";
  if (pair.dual_primary) return "both nodes are primary; see 'hotpair doctor'";
  if (!pair.conflict.empty()) return pair.conflict;
  if (!pair.agreed) return "the nodes have no version of the protocol in common";
  for (const NodeView* node : {&pair.self, &pair.peer})
    if (const std::string why = unwell(*node); !why.empty()) return why;
  const bool two_roles = (pair.self.role == "primary" && pair.peer.role == "backup") ||
                         (pair.self.role == "backup" && pair.peer.role == "primary");
  if (!two_roles)
    return pair.self.name + " is " + pair.self.role + " and " + pair.peer.name + " is " +
           pair.peer.role + "; an upgrade needs one primary and one backup";
  if (!pair.synced())
    return "the pair is not in sync, connections would be lost; wait for 'in sync' in 'hotpair "
           "status', or see why: 'hotpair doctor'";
  return "";
}

std::string why_not_ready(const PairView& pair, int node) {
  const NodeView& one = pair.node(node);
  const NodeView& holder = pair.node(3 - node);
  if (!one.alive) return one.name + " is not heard";
  if (!holder.alive) return holder.name + " is not heard";
  if (!pair.agreed) return "the nodes have no version of the protocol in common";
  if (one.role != "backup") return one.name + " is " + one.role;
  if (holder.role != "primary") return holder.name + " is " + holder.role;
  if (!one.lost_interfaces.empty()) return one.name + " lacks " + joined(one.lost_interfaces);
  if (!one.lacks.empty()) return one.name + " lacks " + one.lacks;
  if (one.failed_modules > 0)
    return one.name + " has " + std::to_string(one.failed_modules) + " failed modules";
  if (!pair.synced())
    return pair.suppressed.empty() ? "the pair is not in sync yet" : pair.suppressed;
  return "";
}

}  // namespace hotpair::ctl::upgrade
