#include "agent/daemon/metrics_text.hpp"

#include <algorithm>
#include <optional>

#include "agent/daemon/alarms.hpp"
#include "agent/daemon/metrics_parts.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;
using Kind = OpenMetrics::Kind;
using namespace metrics;  // NOLINT: the readers of this file alone

constexpr double kBitsAMegabit = 1e6;

void write_identity(OpenMetrics& out, const json& status) {
  out.family(Kind::info, "hotpair_build", "The version of hotpaird.");
  out.add_info({{"version", text(status, "version")}});
  out.family(Kind::info, "hotpair_pair", "Which pair this is, and its two nodes.");
  out.add_info({{"group_id", text(status, "group_id")},
                {"group_name", text(status, "group_name")},
                {"chassis_id", text(child(status, "node"), "chassis_id")},
                {"hostname", text(child(status, "node"), "hostname")},
                {"peer", text(child(status, "peer"), "hostname")}});
}

// A gauge with a value of each of the two nodes.
void both(OpenMetrics& out, const json& status, const char* name, const char* help, const char* key,
          const char* below = nullptr) {
  out.family(Kind::gauge, name, help);
  for (const auto& [label, part] : {std::pair{"self", "node"}, {"peer", "peer"}}) {
    const json& node = child(status, part);
    if (const auto value = number(below ? child(node, below) : node, key))
      out.add({{"node", label}}, *value);
  }
}

void both_states(OpenMetrics& out, const json& status, const char* name, const char* help,
                 const char* key, const std::vector<std::string>& states) {
  out.family(Kind::stateset, name, help);
  for (const auto& [label, part] : {std::pair{"self", "node"}, {"peer", "peer"}})
    if (const json& node = child(status, part); node.is_object())
      out.add_state({{"node", label}}, states, text(node, key));
}

void write_nodes(OpenMetrics& out, const json& status) {
  both_states(out, status, "hotpair_role", "The role of each node; the peer's as last heard.",
              "role", {"init", "backup", "primary", "fault"});
  both_states(out, status, "hotpair_forced", "What an operator forces each node to.", "forced",
              {"none", "primary", "backup", "maintenance"});
  both(out, status, "hotpair_epoch", "The number that rises with every takeover.", "epoch");
  both(out, status, "hotpair_role_age_seconds", "Since when each node has its role.",
       "role_seconds");
  both(out, status, "hotpair_addresses_held", "Whether the node holds the shared addresses.",
       "addresses_held");
  both(out, status, "hotpair_dataplane_alive", "Whether the node's data plane runs.",
       "dataplane_alive");
  both(out, status, "hotpair_sessions", "Sessions in the node's table.", "sessions");
  both(out, status, "hotpair_health_bandwidth_gbps",
       "The first health value: connected data interfaces, in Gbit/s.", "bandwidth_gbps", "health");
  both(out, status, "hotpair_health_good_lags", "Health: LAGs with members enough.", "good_lags",
       "health");
  both(out, status, "hotpair_health_management_link", "Health: the management link is up.",
       "management_link", "health");
  both(out, status, "hotpair_health_failed_modules",
       "Health: failed modules beyond what is tolerated.", "failed_modules", "health");
  both(out, status, "hotpair_health_uptime_seconds", "Health: how long the node has run.",
       "uptime_s", "health");
  both(out, status, "hotpair_health_priority", "Health: the configured priority.", "priority",
       "health");
}

void write_pair(OpenMetrics& out, const json& status) {
  const json &peer = child(status, "peer"), &replication = child(status, "replication");
  out.family(Kind::gauge, "hotpair_peer_alive", "Whether the peer is heard on any path.");
  out.add(flag(peer, "alive"));
  gauge(out, "hotpair_in_sync", "Whether both session tables were proven equal.", status,
        "in_sync");
  gauge(out, "hotpair_replication_lag_sessions", "Changed sessions the backup does not have yet.",
        replication, "lag_sessions");
  gauge(out, "hotpair_replication_lag_seconds", "The age of the oldest of them.", replication,
        "lag_us", 1e-6);
  gauge(out, "hotpair_session_pickup", "Whether sessions are replicated at all.", status,
        "session_pickup");
  gauge(out, "hotpair_dual_primary", "Whether both nodes are primary.", status, "dual_primary");
  counter(out, "hotpair_dual_primary_episodes", "Times that both nodes were primary.", status,
          "dual_primary_episodes");
  counter(out, "hotpair_wardens_replaced", "Wardens that were started for one that died.",
          child(status, "wardens"), "replaced");
  out.family(
      Kind::gauge, "hotpair_election_won",
      "Whether the election prefers this node; an incumbent may hold the role all the same.");
  if (const json& election = child(status, "election"); election.is_object())
    out.add(text(election, "winner") == text(child(status, "node"), "chassis_id"));
}

void write_alarms(OpenMetrics& out, const json& status) {
  out.family(Kind::gauge, "hotpair_alarms", "What is wrong now: alarms of each kind.");
  for (const std::string_view kind : alarm_kinds()) {
    const json& list = child(status, "alarms");
    out.add({{"kind", std::string(kind)}},
            static_cast<double>(std::count_if(list.begin(), list.end(), [&](const json& alarm) {
              return text(alarm, "kind") == kind;
            })));
  }
  out.family(Kind::gauge, "hotpair_warnings", "Warnings that 'hotpair status' shows.");
  out.add(static_cast<double>(child(status, "warnings").size()));
  Rows(child(status, "mismatches"), {"kind", "interface"})
      .write(out, Kind::counter, "hotpair_mismatches",
             "Frames of a neighbour that is configured otherwise.", "count");
  named(out, "hotpair_rejected_frames", "Frames and probes refused, by reason.",
        child(status, "rejected"));
}

void write_paths(OpenMetrics& out, const json& status) {
  const Rows paths{child(status, "heartbeat_paths"), {"path", "kind", "interface"}};
  paths.write(out, Kind::gauge, "hotpair_path_alive", "Whether the peer is heard on the path.",
              "alive");
  paths.write(out, Kind::gauge, "hotpair_path_heard_by_peer",
              "Whether the peer hears this node on it.", "heard_by_peer");
  paths.write(out, Kind::gauge, "hotpair_path_link_up", "Whether its device has carrier.",
              "link_up");
  paths.write(out, Kind::gauge, "hotpair_path_silent_seconds", "Since the last heartbeat on it.",
              "last_heard_ms", 1e-3);
  paths.write(out, Kind::counter, "hotpair_path_heartbeats_received", "Heartbeats heard on it.",
              "received");
  paths.write(out, Kind::counter, "hotpair_path_heartbeats_lost",
              "Heartbeats that another path brought and this one did not.", "lost");
  const auto jitter = [](const json& path, const char* key) {
    return number(child(path, "jitter"), key);
  };
  paths.write_of(out, Kind::gauge, "hotpair_path_jitter_recent_seconds",
                 "The latest heartbeat of the last 10 to 20 s, beyond its interval.",
                 [&](const json& path) { return scaled(jitter(path, "recent_max_ms"), 1e-3); });
  paths.write_of(out, Kind::gauge, "hotpair_path_jitter_max_seconds",
                 "The latest heartbeat since the start, beyond its interval.",
                 [&](const json& path) { return scaled(jitter(path, "max_ms"), 1e-3); });
  paths.write_of(out, Kind::counter, "hotpair_path_heartbeats_late",
                 "Heartbeats later than half an interval.",
                 [&](const json& path) { return jitter(path, "late"); });
}

void write_devices(OpenMetrics& out, const json& status) {
  const Rows data{child(status, "data_interfaces"), {"name", "device", "logical_system"}};
  data.write(out, Kind::gauge, "hotpair_interface_up", "Whether a data interface has carrier.",
             "up");
  data.write(out, Kind::gauge, "hotpair_interface_bits_per_second", "Its speed.", "speed_mbps",
             kBitsAMegabit);
  data.write_of(out, Kind::gauge, "hotpair_lag_members", "Members of a LAG.",
                [](const json& row) { return number(child(row, "lag"), "total"); });
  data.write_of(out, Kind::gauge, "hotpair_lag_members_usable", "Those that carry traffic.",
                [](const json& row) { return number(child(row, "lag"), "usable"); });
  const Rows addresses{child(status, "addresses"), {"interface", "address"}};
  addresses.write(out, Kind::gauge, "hotpair_address_held", "Whether this node holds it.", "held");
  addresses.write(out, Kind::counter, "hotpair_address_put_back",
                  "Times that somebody removed it from the primary.", "put_back");
  const Rows remote{child(status, "remote_monitors"), {"address", "interface"}};
  remote.write(out, Kind::gauge, "hotpair_remote_reached", "Whether a remote monitor answers.",
               "reached");
  out.family(Kind::gauge, "hotpair_witness_reached", "Whether the witness answers.");
  if (const auto answers = number(child(status, "witness"), "answers")) out.add(*answers);
  out.family(Kind::stateset, "hotpair_module_state", "The state of each module of the election.");
  for (const json& row : child(status, "modules"))
    out.add_state(labels_of(row, {"slot", "kind", "name"}), {"unknown", "good", "failed"},
                  text(row, "state"));
}

void write_companions(OpenMetrics& out, const json& status) {
  const json& network = child(status, "cluster_network");
  gauge(out, "hotpair_cluster_network_up", "Whether hotpair0 carries traffic.", network, "up");
  counter(out, "hotpair_cluster_network_path_changes", "Times it moved to another path.", network,
          "path_changes");
  for (const char* way : {"sent", "received"}) {
    const std::string name = std::string("hotpair_cluster_network_") + way;
    counter(out, name + "_frames", "Frames over hotpair0.", child(network, way), "frames");
    counter(out, name + "_bytes", "Bytes of these.", child(network, way), "bytes");
  }
  named(out, "hotpair_cluster_network_dropped_frames", "Frames it did not carry, by reason.",
        child(network, "dropped"));
  const json& config = child(status, "config");
  gauge(out, "hotpair_config_in_sync", "Whether the synchronised files are the same on both nodes.",
        config, "in_sync");
  gauge(out, "hotpair_config_files", "Files that are synchronised.", config, "files");
  counter(out, "hotpair_config_changes", "Change sets put in place.", config, "changes");
  counter(out, "hotpair_config_refused", "Change sets refused.", config, "refused");
  out.family(Kind::gauge, "hotpair_config_conflicts", "Files that were changed on both nodes.");
  if (config.is_object()) out.add(static_cast<double>(child(config, "conflicts").size()));
}

void write_ruleset(OpenMetrics& out, const json& ruleset) {
  gauge(out, "hotpair_ruleset_in_sync",
        "Whether the backup's kernel has the primary's ruleset and the elements of its sets.",
        ruleset, "in_sync");
  counter(out, "hotpair_ruleset_changes", "Rulesets that went over.", ruleset, "changes");
  counter(out, "hotpair_ruleset_refused", "Rulesets that the backup did not take.", ruleset,
          "refused");
  counter(out, "hotpair_ruleset_elements_sent", "Elements of sets told to the backup.", ruleset,
          "elements_sent");
  counter(out, "hotpair_ruleset_elements_taken", "Elements of sets taken from the primary.",
          ruleset, "elements_taken");
  counter(out, "hotpair_ruleset_elements_repaired",
          "Elements that somebody had changed on the backup and that were put back.", ruleset,
          "elements_repaired");
  const Rows sets{child(ruleset, "sets"), {"set"}};
  sets.write(out, Kind::gauge, "hotpair_set_elements", "Elements of a synchronised set.",
             "elements");
  sets.write(out, Kind::gauge, "hotpair_set_in_sync", "Whether the backup has them.", "in_sync");
}

void write_routes(OpenMetrics& out, const json& routes) {
  gauge(out, "hotpair_routes_in_sync",
        "Whether the backup's kernel has the primary's routes and neighbours.", routes, "in_sync");
  gauge(out, "hotpair_routes_lag_seconds", "The age of the oldest change that was not sent yet.",
        routes, "lag_ms", 1e-3);
  gauge(out, "hotpair_routes", "Routes of the primary that are synchronised.", routes, "routes");
  gauge(out, "hotpair_route_neighbours", "Neighbours of the primary that are synchronised.", routes,
        "neighbours");
  out.family(Kind::gauge, "hotpair_routes_at_backup", "What became of them at the backup.");
  for (const char* state : {"installed", "own", "refused", "waiting"})
    if (const auto value = number(routes, state)) out.add({{"state", state}}, *value);
  gauge(out, "hotpair_routes_update_seconds", "How long the last update took.", routes,
        "last_took_ms", 1e-3);
  counter(out, "hotpair_routes_updates", "Updates that the backup took.", routes, "rounds");
  counter(out, "hotpair_routes_updates_failed", "Updates that failed.", routes, "failed");
  counter(out, "hotpair_routes_entries_sent", "Routes and neighbours sent.", routes,
          "entries_sent");
  counter(out, "hotpair_routes_entries_taken", "Routes and neighbours taken from the primary.",
          routes, "entries_taken");
  counter(out, "hotpair_routes_bytes_sent", "Bytes of these updates.", routes, "bytes_sent");
  counter(out, "hotpair_routes_reconciled", "Times that this kernel's routes were put right.",
          routes, "reconciled");
  counter(out, "hotpair_routes_given_up", "Times that those of a former primary were removed.",
          routes, "given_up");
  out.family(Kind::gauge, "hotpair_routes_left_out", "Routes that are not sent, by reason.");
  for (const auto& [reason, value] : child(routes, "left_out").items())
    if (value.is_number()) out.add({{"reason", reason}}, value.get<double>());
}

void write_partitions(OpenMetrics& out, const json& partitions, const json& dataplane) {
  out.family(Kind::gauge, "hotpair_logical_system_complete",
             "Whether a node has the VRF and the interfaces of a logical system.");
  for (const json& row : partitions)
    for (const auto& [label, part] : {std::pair{"self", &row}, {"peer", &child(row, "peer")}})
      if (part->is_object())
        out.add({{"name", text(row, "name")}, {"node", label}}, text(*part, "state") == "complete");
  out.family(Kind::gauge, "hotpair_logical_system_sessions", "Sessions of its conntrack zone.");
  for (const json& row : partitions)
    if (const std::string zone = text(row, "zone"); zone != "0" && dataplane.is_object())
      out.add({{"name", text(row, "name")}},
              number(child(dataplane, "sessions_of_zones"), zone.c_str()).value_or(0));
}

void write_traps(OpenMetrics& out, const json& traps) {
  counter(out, "hotpair_traps_sent", "SNMP traps sent.", traps, "sent");
  counter(out, "hotpair_traps_failed", "SNMP traps that could not be sent.", traps, "failed");
  counter(out, "hotpair_traps_held_back", "SNMP traps held back, of events that came too often.",
          traps, "held_back");
}

void write_dataplane(OpenMetrics& out, const json& dataplane) {
  out.family(Kind::gauge, "hotpair_dataplane_up", "Whether hotpair-dataplane answers.");
  out.add(dataplane.is_object());
  gauge(out, "hotpair_dataplane_port_up", "Whether the session-sync port has a link.",
        child(dataplane, "port"), "up");
  out.family(Kind::gauge, "hotpair_dataplane_port_proven",
             "Whether both nodes hear each other on a session-sync port, where there are several.");
  if (const json& ports = child(dataplane, "ports"); ports.size() > 1)
    for (const json& port : ports)
      out.add({{"device", port.value("device", "")}}, port.value("proven", false));
  gauge(out, "hotpair_dataplane_peer_heard", "Whether the peer's data plane is heard.", dataplane,
        "peer_heard");
  gauge(out, "hotpair_dataplane_bulk_running", "Whether the whole table is being transferred.",
        dataplane, "bulk_running");
  gauge(out, "hotpair_dataplane_kernel_complete",
        "Whether the backup's kernel holds all that its table has.", dataplane, "kernel_complete");
  gauge(out, "hotpair_dataplane_round_trip_seconds", "To the peer's data plane and back.",
        dataplane, "round_trip_us", 1e-6);
  for (const auto& [name, value] : child(dataplane, "counters").items())
    if (value.is_number() && is_name(name)) {
      out.family(Kind::counter, "hotpair_dataplane_" + name,
                 "The data plane's counter " + name + " ('hotpair status --json').");
      out.add(value.get<double>());
    }
}

}  // namespace

std::string metrics_text(const Seen& seen) {
  OpenMetrics out;
  out.family(Kind::gauge, "hotpair_up", "Whether hotpaird's main loop answers.");
  out.add(seen.agent.is_object());
  if (seen.agent.is_object()) {
    write_identity(out, seen.agent);
    write_nodes(out, seen.agent);
    write_pair(out, seen.agent);
    write_alarms(out, seen.agent);
    write_paths(out, seen.agent);
    write_devices(out, seen.agent);
    write_companions(out, seen.agent);
    write_ruleset(out, child(seen.agent, "ruleset"));
    write_routes(out, child(seen.agent, "routes"));
    write_partitions(out, child(seen.agent, "logical_systems"), seen.dataplane);
    write_traps(out, child(seen.agent, "snmp_trap"));
    write_transitions(out, child(seen.agent, "transitions"));
  }
  write_dataplane(out, seen.dataplane);
  return std::move(out).finish();
}

}  // namespace hotpair::daemon
