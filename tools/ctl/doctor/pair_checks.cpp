#include "tools/ctl/doctor/pair_checks.hpp"

#include <algorithm>

#include "tools/ctl/json_access.hpp"
#include "tools/ctl/style.hpp"

namespace hotpair::ctl {
namespace {

using Json = nlohmann::json;

std::string name_of(const Json& node, const char* fallback) {
  const std::string name = text(node, "hostname");
  return name.empty() ? fallback : name;
}

bool peer_alive(const Json& status) {
  return flag(child(status, "peer"), "alive");
}

bool no_common_protocol(const Json& status) {
  const Json& protocol = child(status, "protocol");
  return child(protocol, "peer").is_object() && child(protocol, "agreed").is_null();
}

void check_primary(const Json& status, Report& report) {
  const Json& node = child(status, "node");
  const Json& peer = child(status, "peer");
  if (flag(status, "dual_primary"))
    return report.add({"pair.dual-primary", Severity::problem, "both nodes are primary now",
                       "they could not hear each other, or hear each other one way only",
                       "mend the heartbeat paths named below; the election then keeps one"});
  const bool here = text(node, "role") == "primary";
  const bool there = peer_alive(status) && text(peer, "role") == "primary";
  if (here || there) return report.well("pair.no-primary");
  if (text(node, "role") == "init")
    return report.add({"pair.no-primary", Severity::warning,
                       "this node has just started and listens",
                       "it waits for heartbeat.hello_holddown before it becomes primary alone",
                       "wait a moment, then 'hotpair doctor' again"});
  report.add({"pair.no-primary", Severity::problem,
              "nobody is heard as primary: this node is " + text(node, "role"),
              text(node, "reason"), "hotpair why"});
}

void check_node(const Json& node, bool ours, Report& report) {
  const std::string name = name_of(node, ours ? "this node" : "the peer");
  const std::string forced = text(child(node, "health"), "forced");
  if (forced == "maintenance")
    report.add({"pair.maintenance", Severity::warning, name + " is in maintenance",
                "an operator works on it; it takes the role only when the other node is gone",
                std::string(ours ? "" : "on " + name + ": ") + "hotpair maintenance off"});
  else if (!forced.empty() && forced != "none")
    report.add({"pair.forced", Severity::warning, name + " is forced to " + forced,
                "an operator said so, and it stays over restarts until it is taken back",
                std::string(ours ? "" : "on " + name + ": ") + "hotpair force none"});
  else
    report.well("pair.forced");
  const Json& lost = child(node, "lost_interfaces");
  std::string names;
  if (lost.is_array())
    for (const Json& one : lost) names += (names.empty() ? "" : ", ") + text(Json{{"n", one}}, "n");
  if (names.empty())
    report.well("pair.interfaces-lost");
  else
    report.add({"pair.interfaces-lost", Severity::problem, name + " has lost " + names,
                "the cable, the switch, or the device is gone",
                "on " + name + ": hotpair doctor, and look at its cables"});
  if (const auto failed = count(child(node, "health"), "failed_modules"))
    report.add({"pair.modules-failed", Severity::problem,
                name + " has " + spoken_count(failed) + " failed modules" +
                    (text(node, "failed_module").empty() ? "" : ": " + text(node, "failed_module")),
                "a watched service or check command fails, or an interface module's device is gone",
                "on " + name + ": hotpair status, and systemctl status of the service"});
  else
    report.well("pair.modules-failed");
  if (!flag(child(node, "health"), "management_link") && child(node, "health").is_object())
    report.add({"pair.management-down", Severity::problem, name + " has lost its management link",
                "the cable or the switch",
                "on " + name + ": look at the management interface's cable"});
}

void check_addresses(const Json& status, Report& report) {
  const Json& node = child(status, "node");
  const bool primary = text(node, "role") == "primary";
  std::string missing, surplus;
  for (const Json& address : child(status, "addresses")) {
    const bool held = flag(address, "held");
    if (primary && !held) missing += " " + text(address, "address");
    if (!primary && held) surplus += " " + text(address, "address");
  }
  if (!missing.empty())
    report.add({"pair.addresses-missing", Severity::problem,
                "this node is primary and does not hold" + missing,
                "the device is absent, or another program removes addresses from it",
                "hotpair history --steps; ip -br address; see the log: journalctl -u hotpaird"});
  if (!surplus.empty())
    report.add({"pair.addresses-left-over", Severity::problem,
                "this node is not primary and holds" + surplus,
                "they could not be taken away, so both nodes may answer for them",
                "hotpaird takes them away when it starts: systemctl restart hotpaird"});
  const Json& peer = child(status, "peer");
  if (flag(node, "addresses_held") && peer_alive(status) && flag(peer, "addresses_held"))
    report.add(
        {"pair.addresses-twice", Severity::problem, "both nodes hold the shared addresses",
         "both are primary, or one could not give them back",
         "hotpair status on both; the one with the lower epoch: systemctl restart hotpaird"});
  else if (missing.empty() && surplus.empty())
    report.well("pair.addresses-twice");
}

std::string dashed(std::string kind) {
  std::replace_if(
      kind.begin(), kind.end(), [](char c) { return c == '_' || c == ' '; }, '-');
  return kind;
}

// Why a path is silent, as far as this end can tell.
std::string silence_cause(const Json& path, bool others_alive) {
  if (!flag(path, "link_up")) return "this end has no link: the cable, or the other box is off";
  if (text(path, "kind") == "session_sync")
    return "the data plane of one node does not run, or its port is not connected";
  if (!others_alive) return "the other node is off, or its agent does not run";
  return "the switch does not carry the VLAN, the cables are crossed, or a smaller MTU on the way "
         "drops long frames";
}

void check_path(const Json& path, bool others_alive, Report& report) {
  const std::string name = text(path, "interface");
  if (!flag(path, "alive"))
    return report.add({"pair.path-dead", others_alive ? Severity::warning : Severity::problem,
                       "nothing is heard on " + name + " (" + text(path, "kind") + ")",
                       silence_cause(path, others_alive),
                       "ethtool " + name + "; tcpdump -e -ni " + name +
                           " shows whether frames arrive, and with which VLAN tag"});
  if (!flag(path, "heard_by_peer"))
    return report.add(
        {"pair.path-one-way", Severity::problem, "the peer does not hear this node on " + name,
         "one direction is broken: a fibre, a filter on the switch, or a VLAN that is "
         "stripped one way",
         "on the other node: tcpdump -e -ni its interface of this path"});
  report.well("pair.path-dead");
  const double received = number(path, "received").value_or(0);
  const double lost = number(path, "lost").value_or(0);
  if (lost > 50 && lost > received / 100)
    report.add({"pair.path-lossy", Severity::warning,
                name + " has lost " + spoken_count(static_cast<std::uint64_t>(lost)) + " of " +
                    spoken_count(static_cast<std::uint64_t>(received + lost)) + " heartbeats",
                "a bad cable, an overloaded switch, or a box that is too busy",
                "ethtool -S " + name + " | grep -i err"});
}

void check_protocol(const Json& status, Report& report) {
  const Json& protocol = child(status, "protocol");
  if (no_common_protocol(status))
    report.add({"pair.protocol-differs", Severity::problem,
                "the nodes have no version of the protocol in common: this one speaks " +
                    spoken_range(child(protocol, "node")) + ", the peer " +
                    spoken_range(child(protocol, "peer")),
                "an upgrade over several versions that has reached one node",
                "upgrade the other node too: sessions are not replicated meanwhile, and the role "
                "moves only for faults, by force and when a node ends"});
  else
    report.well("pair.protocol-differs");
}

}  // namespace

void check_roles(const Json& status, Report& report) {
  check_primary(status, report);
  check_node(child(status, "node"), true, report);
  if (peer_alive(status)) check_node(child(status, "peer"), false, report);
  check_addresses(status, report);
  const std::string suppressed = text(status, "suppressed");
  if (suppressed.empty())
    report.well("pair.suppressed");
  else
    report.add({"pair.suppressed", Severity::warning, "a change of role is wanted and held back",
                suppressed, "hotpair why"});
  const std::string conflict = text(status, "conflict");
  if (!conflict.empty())
    report.add({"pair.conflict", Severity::problem,
                "a neighbour that is not understood keeps this node from deciding", conflict,
                "mend what the mismatches above name, or switch that neighbour off"});
  if (const auto episodes = count(status, "dual_primary_episodes");
      episodes > 0 && !flag(status, "dual_primary"))
    report.add({"pair.dual-primary-episodes", Severity::warning,
                "both nodes were primary at once " + spoken_count(episodes) +
                    (episodes == 1 ? " time" : " times") + " since this agent started",
                "all paths between the boxes were cut for a while",
                "hotpair history shows when; add a path that shares nothing with the others"});
}

void check_mismatches(const Json& status, Report& report) {
  constexpr double kFresh = 10'000, kRemembered = 3'600'000;  // ms
  bool any = false;
  for (const Json& mismatch : child(status, "mismatches")) {
    const double age = number(mismatch, "last_seen_ms").value_or(0);
    if (age > kRemembered) continue;
    any = true;
    report.add({"pair." + dashed(text(mismatch, "kind")),
                age <= kFresh ? Severity::problem : Severity::warning,
                "on " + text(mismatch, "interface") + ": " + text(mismatch, "detail") + " (" +
                    spoken_count(count(mismatch, "count")) + " frames, last " +
                    spoken_duration(age / 1000) + " ago)",
                text(mismatch, "cause"), text(mismatch, "advice")});
  }
  if (!any) report.well("pair.wrong-password");
}

void check_paths(const Json& status, Report& report) {
  const Json& peer = child(status, "peer");
  if (!peer.is_object() || !flag(peer, "alive")) {
    const bool known = peer.is_object();
    report.add({"pair.peer-silent", Severity::problem,
                known ? name_of(peer, "the peer") + " is not heard any more"
                      : "no peer was heard since this agent started",
                "it is off, its agent does not run, its configuration differs, or every cable "
                "between the boxes is out",
                "on the other node: hotpair doctor"});
  } else {
    report.well("pair.peer-silent");
  }
  std::size_t alive = 0, cables = 0;
  const Json& paths = child(status, "heartbeat_paths");
  for (const Json& path : paths) {
    if (!flag(path, "alive")) continue;
    ++alive;
    if (text(path, "kind") == "heartbeat") ++cables;
  }
  for (const Json& path : paths) check_path(path, alive > 0, report);
  if (alive == 1)
    report.add({"pair.one-path-left", Severity::problem, "one path between the boxes is left",
                "when it fails too, both nodes become primary", "mend the silent paths"});
  else if (alive > 0 && cables == 0)
    report.add({"pair.no-heartbeat-cable", Severity::problem,
                "the nodes hear each other by no heartbeat interface",
                "every heartbeat cable is out, and another path stands in",
                "mend the silent paths"});
}

void check_sync(const Json& status, Report& report) {
  if (!flag(status, "session_pickup")) return;
  for (const char* which : {"node", "peer"}) {
    const Json& node = child(status, which);
    const bool ours = std::string_view(which) == "node";
    if (!node.is_object() || (!ours && !peer_alive(status))) continue;
    if (flag(node, "dataplane_alive")) {
      report.well("pair.dataplane-down");
      continue;
    }
    const std::string name = name_of(node, ours ? "this node" : "the peer");
    report.add(
        {"pair.dataplane-down", Severity::problem, "the data plane of " + name + " does not run",
         "hotpair-dataplane was stopped, or fails: journalctl -u hotpair-dataplane -n 50",
         std::string(ours ? "" : "on " + name + ": ") + "systemctl restart hotpair-dataplane"});
  }
  if (flag(status, "in_sync")) return report.well("pair.not-in-sync");
  const Json& replication = child(status, "replication");
  const auto behind = count(replication, "lag_sessions");
  const Json& port = child(child(status, "dataplane"), "port");
  const bool port_down = port.is_object() && !flag(port, "up");
  std::string cause = "the tables are being compared";
  if (!peer_alive(status)) {
    cause = "the other node is not heard";
  } else if (port_down) {
    cause = "the session-sync port " + text(port, "device") + " has no link";
  } else if (no_common_protocol(status)) {
    cause = "the nodes have no version of the protocol in common";
  } else if (behind > 0) {
    cause = spoken_count(behind) + " sessions are still on their way";
  }
  report.add({"pair.not-in-sync", port_down ? Severity::problem : Severity::warning,
              "the backup does not hold every session", cause,
              port_down ? "check the session-sync cable"
                        : "wait, then 'hotpair verify'; when it lasts: journalctl -u "
                          "hotpair-dataplane -n 50"});
}

void check_sync_ports(const Json& status, Report& report) {
  const Json& ports = child(child(status, "dataplane"), "ports");
  if (!ports.is_array() || ports.size() < 2) return;
  for (const Json& port : ports) {
    if (flag(port, "proven")) continue;
    const std::string device = text(port, "device");
    const std::string cause = !flag(port, "open") ? "DPDK cannot use it: journalctl -u "
                                                    "hotpair-dataplane says why"
                              : !flag(port, "up") ? "it has no link"
                                                  : "its hellos do not come through, or the peer's";
    report.add({"pair.sync-port-unproven", Severity::warning,
                "the session-sync port " + device +
                    " does not reach the peer; the next failure "
                    "may stop the replication",
                cause, "check its cable, and session_sync.devices of both nodes"});
  }
}

void check_agreement(const Json& status, Report& report) {
  const Json& peer = child(status, "peer");
  if (!peer_alive(status)) return;
  const std::string ours = text(status, "cluster_digest"), theirs = text(peer, "cluster_digest");
  if (!ours.empty() && !theirs.empty() && ours != theirs)
    report.add({"pair.cluster-differs", Severity::problem,
                "cluster.yaml says different things on the two nodes",
                "it was changed on one node, or read again on one only",
                "copy the right one to the other node, then 'hotpair reload' on both"});
  else
    report.well("pair.cluster-differs");
  check_protocol(status, report);
  const std::string version = text(status, "version"), other = text(peer, "version");
  if (!other.empty() && other != version)
    report.add({"pair.version-differs", Severity::warning,
                "this node runs hotpair " + version + ", the peer " + other,
                "an upgrade that has reached one node", "upgrade the other node too"});
  else
    report.well("pair.version-differs");
  const Json& passwords = child(status, "passwords");
  const Json& own_use = child(passwords, "node");
  const Json& peer_use = child(passwords, "peer");
  if (own_use.is_object() && peer_use.is_object() &&
      (!text(own_use, "other").empty() || !text(peer_use, "other").empty()))
    report.add({"pair.password-rotation", Severity::warning,
                "a change of the password is under way", "both the old and the new are accepted",
                text(passwords, "next_step")});
  else
    report.well("pair.password-rotation");
}

void check_pair(const Json& status, Report& report) {
  check_mismatches(status, report);
  check_roles(status, report);
  check_paths(status, report);
  check_sync(status, report);
  check_sync_ports(status, report);
  check_agreement(status, report);
  check_watchers(status, report);
  for (const Json& warning : child(status, "warnings"))
    report.add({"pair.agent-warning", Severity::warning, text(Json{{"w", warning}}, "w"),
                "the agent says so itself", "journalctl -u hotpaird -n 50"});
}

}  // namespace hotpair::ctl
