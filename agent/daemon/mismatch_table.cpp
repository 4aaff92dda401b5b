#include "agent/daemon/mismatch_table.hpp"

#include <algorithm>

namespace hotpair::daemon {

using agent::Rejection;

MismatchTable::Verdict MismatchTable::note(const Sighting& sighting, std::string wall) {
  auto entry = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& e) {
    return e.reason == sighting.reason && e.path == sighting.path;
  });
  Verdict verdict;
  if (entry == entries_.end()) {
    MismatchRow row;
    row.kind = agent::to_string(sighting.reason);
    row.interface = sighting.interface;
    row.cause = cause_of(sighting.reason);
    row.advice = advice_for(sighting.reason);
    entries_.push_back({sighting.reason, sighting.path, std::move(row), {}, {}});
    entry = std::prev(entries_.end());
    verdict = {true, true, 0};
  } else {
    verdict.tell_node = sighting.at - entry->told >= kMismatchEventInterval;
    verdict.log = sighting.at - entry->logged >= kMismatchLogInterval;
  }
  entry->row.count++;
  entry->row.detail = sighting.detail;
  entry->row.last_seen = std::move(wall);
  entry->row.last = sighting.at;
  if (verdict.tell_node) entry->told = sighting.at;
  if (verdict.log) {
    verdict.since_last_log = entry->row.count - entry->logged_count;
    entry->logged = sighting.at;
    entry->logged_count = entry->row.count;
  }
  return verdict;
}

std::vector<MismatchRow> MismatchTable::rows() const {
  std::vector<MismatchRow> rows;
  for (const auto& entry : entries_)
    if (needs_an_operator(entry.reason)) rows.push_back(entry.row);
  return rows;
}

std::string event_of_mismatch(std::string_view kind) {
  std::string name = "mismatch-" + std::string(kind);
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

bool needs_an_operator(Rejection reason) {
  if (reason == Rejection::not_echoed) return false;
  return mismatch_kind(reason).has_value() || reason == Rejection::own_frame;
}

std::optional<agent::MismatchSeen::Kind> mismatch_kind(Rejection reason) {
  using Kind = agent::MismatchSeen::Kind;
  switch (reason) {
    case Rejection::wrong_group:
      return Kind::wrong_group;
    case Rejection::wrong_password:
      return Kind::wrong_password;
    case Rejection::wrong_vlan:
    case Rejection::untagged:
      return Kind::wrong_vlan;
    case Rejection::wrong_version:
      return Kind::wrong_version;
    case Rejection::same_chassis_id:
      return Kind::same_chassis_id;
    case Rejection::wrong_ethertype:
      return Kind::wrong_ethertype;
    case Rejection::wrong_path:
      return Kind::wrong_path;
    case Rejection::not_echoed:
      return Kind::not_associated;
    default:
      return std::nullopt;
  }
}

std::string_view cause_of(Rejection reason) {
  switch (reason) {
    case Rejection::wrong_group:
      return "the two nodes have different group ids, or another cluster shares this VLAN";
    case Rejection::wrong_password:
      return "the password files differ, or one node has not read a changed one";
    case Rejection::wrong_vlan:
      return "the nodes name different VLANs, or a switch rewrites the tag";
    case Rejection::untagged:
      return "a switch port is set to access mode and strips the tag";
    case Rejection::wrong_version:
      return "one node was upgraded to a version that the other cannot read";
    case Rejection::same_chassis_id:
      return "node.yaml was copied from one node to the other";
    case Rejection::wrong_ethertype:
      return "heartbeat.ethertype differs between the nodes, or on one interface";
    case Rejection::wrong_path:
      return "the heartbeat cables are crossed, or listed in another order";
    case Rejection::own_frame:
      return "a switch or a cable loops the heartbeat network";
    default:
      return "";
  }
}

std::string_view advice_for(Rejection reason) {
  switch (reason) {
    case Rejection::wrong_group:
      return "set the same group_id in cluster.yaml of both nodes; if it is another cluster, give "
             "it a VLAN of its own";
    case Rejection::wrong_password:
      return "put the same password into password_file on both nodes, then 'hotpair reload' on the "
             "node that was changed";
    case Rejection::wrong_vlan:
      return "set the same vlan for this interface under heartbeat_interfaces in node.yaml of both "
             "nodes";
    case Rejection::untagged:
      return "let the switch carry the heartbeat VLAN tagged; it arrives without its tag";
    case Rejection::wrong_version:
      return "run the same version of hotpair on both nodes";
    case Rejection::same_chassis_id:
      return "set chassis_id to 1 in node.yaml of one node and to 2 in that of the other";
    case Rejection::wrong_ethertype:
      return "set the same heartbeat.ethertype in cluster.yaml (and under heartbeat_interfaces) of "
             "both nodes";
    case Rejection::wrong_path:
      return "list the heartbeat interfaces in the same order in node.yaml of both nodes, or swap "
             "their cables";
    case Rejection::own_frame:
      return "look for a loop in the heartbeat network: this node hears its own frames";
    default:
      return "";
  }
}

}  // namespace hotpair::daemon
