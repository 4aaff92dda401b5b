#include "tools/ctl/status_view.hpp"

#include <cstdio>
#include <vector>

#include "tools/ctl/json_access.hpp"
#include "tools/ctl/status_sync.hpp"

namespace hotpair::ctl {
namespace {

using Json = nlohmann::json;
using Rows = std::vector<std::vector<Cell>>;

Cell yes_no(bool good, const char* yes, const char* no, Tone bad_tone = Tone::bad) {
  return good ? Cell(yes, Tone::good) : Cell(no, bad_tone);
}

Cell role_cell(const Json& node) {
  const std::string role = text(node, "role");
  if (role == "primary") return {"PRIMARY", Tone::good};
  if (role == "fault") return {"fault", Tone::bad};
  return {role.empty() ? "-" : role, role == "init" ? Tone::warning : Tone::plain};
}

std::string gigabits(const Json& health) {
  const auto value = number(health, "bandwidth_gbps");
  if (!value) return "-";
  char buffer[48];
  std::snprintf(buffer, sizeof buffer, "%g Gbit/s", *value);
  return buffer;
}

std::string title(const Json& node, const char* which) {
  const std::string name = text(node, "hostname");
  return (name.empty() ? "?" : name) + " (" + which + ", chassis " + text(node, "chassis_id") + ")";
}

// A column of the table: what a node says of itself, or dashes when there is none.
std::vector<Cell> node_column(const Json& node, const Json& protocol, const char* which) {
  if (!node.is_object()) {
    std::vector<Cell> dashes(15, Cell("-", Tone::faint));
    dashes[0] = Cell("(no peer heard yet)", Tone::bad);
    return dashes;
  }
  const Json& health = child(node, "health");
  const std::string forced = text(health, "forced");
  const auto seconds = number(node, "role_seconds");
  const auto uptime = number(health, "uptime_s");
  return {title(node, which),
          role_cell(node),
          seconds ? spoken_duration(*seconds) : "-",
          forced.empty() || forced == "none" ? Cell("no")
          : forced == "maintenance"          ? Cell("MAINTENANCE", Tone::warning)
                                             : Cell("to " + forced, Tone::warning),
          gigabits(health),
          std::to_string(count(health, "good_lags")),
          yes_no(flag(health, "management_link"), "up", "DOWN"),
          count(health, "failed_modules") ? Cell(text(health, "failed_modules"), Tone::bad)
                                          : Cell("none"),
          uptime ? spoken_duration(*uptime) : "-",
          text(health, "priority"),
          text(health, "serial").empty() ? text(node, "serial") : text(health, "serial"),
          yes_no(flag(node, "dataplane_alive"), "alive", "DOWN"),
          spoken_count(count(node, "sessions")),
          yes_no(flag(node, "addresses_held"), "held", "not held", Tone::plain),
          spoken_range(protocol)};
}

Cell protocol_label(const Json& protocol) {
  if (!child(protocol, "peer").is_object()) return "protocol";
  const std::string agreed = text(protocol, "agreed");
  return agreed.empty() ? Cell("protocol: NONE SHARED", Tone::bad) : "protocol: " + agreed + " of";
}

std::string nodes(const Style& style, const Json& status) {
  const Json& peer = child(status, "peer");
  const bool silent = peer.is_object() && !flag(peer, "alive");
  const Json& protocol = child(status, "protocol");
  const std::vector<Cell> labels = {"",           "role",           "for",
                                    "forced",     "bandwidth",      "good LAGs",
                                    "management", "failed modules", "uptime",
                                    "priority",   "serial",         "data plane",
                                    "sessions",   "addresses",      protocol_label(protocol)};
  const std::vector<Cell> left =
      node_column(child(status, "node"), child(protocol, "node"), "this node");
  const std::vector<Cell> right =
      node_column(peer, child(protocol, "peer"), silent ? "NOT HEARD, as last known" : "peer");
  Rows rows;
  for (std::size_t i = 0; i < labels.size(); ++i) rows.push_back({labels[i], left[i], right[i]});
  return columns(style, rows);
}

std::string reasons(const Style& style, const Json& status) {
  std::string block;
  for (const char* key : {"node", "peer"}) {
    const Json& node = child(status, key);
    const std::string reason = text(node, "reason");
    if (!reason.empty()) block += "  " + text(node, "hostname") + ": " + reason + "\n";
  }
  const std::string election = election_sentence(status);
  if (!election.empty()) block += "  " + election + "\n";
  const std::string suppressed = text(status, "suppressed");
  if (!suppressed.empty())
    block += "  " + style(Tone::warning, "but nothing moves: " + suppressed) + "\n";
  return block.empty() ? "" : style(Tone::strong, "Why") + "\n" + block;
}

std::string ago(std::optional<double> ms) {
  if (!ms) return "never";
  char buffer[48];
  if (*ms < 1000) {
    std::snprintf(buffer, sizeof buffer, "%.0f ms ago", *ms);
    return buffer;
  }
  return spoken_duration(*ms / 1e3) + " ago";
}

// A few refused frames are ordinary (each start of a node makes some), so they stand here quietly;
// what needs an operator is a mismatch.
std::string refused(const Style& style, const Json& status) {
  std::string list;
  for (const auto& [reason, times] : child(status, "rejected").items()) {
    if (!times.is_number_unsigned() || times.get<std::uint64_t>() == 0) continue;
    list += (list.empty() ? "" : ", ") + reason + " " + spoken_count(times.get<std::uint64_t>());
  }
  return list.empty() ? "" : "  " + style(Tone::faint, "refused frames: " + list) + "\n";
}

// The latest heartbeat of the last 10 to 20 s, beyond its interval.
std::string lateness(const Json& jitter) {
  const auto ms = number(jitter, "recent_max_ms");
  if (!ms) return "";
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "+%.1f ms", *ms);
  return buffer;
}

std::string paths(const Style& style, const Json& status) {
  Rows rows = {{"path", "interface", "vlan", "link", "state", "last heard", "received", "lost",
                "latest", "peer hears us"}};
  for (const Json& path : child(status, "heartbeat_paths")) {
    const bool alive = flag(path, "alive");
    Cell state = yes_no(alive, "alive", "DEAD");
    if (flag(path, "best")) state.text += ", best";
    rows.push_back({text(path, "kind"), text(path, "interface"), text(path, "vlan"),
                    yes_no(flag(path, "link_up"), "up", "DOWN"), state,
                    ago(number(path, "last_heard_ms")), spoken_count(count(path, "received")),
                    spoken_count(count(path, "lost")), lateness(child(path, "jitter")),
                    yes_no(flag(path, "heard_by_peer"), "yes", "NO")});
  }
  return style(Tone::strong, "Heartbeat paths") + "\n" + columns(style, rows) +
         refused(style, status);
}

std::string cluster_network(const Style& style, const Json& status) {
  const Json& network = child(status, "cluster_network");
  if (!flag(network, "enabled")) return "";
  std::string line = "  " + text(network, "device") + " ";
  if (!flag(network, "up")) {
    line += style(Tone::warning, "is not there");
  } else {
    line += text(child(network, "local"), "ipv4") + ", the peer " +
            text(child(network, "peer"), "ipv4") + ", over ";
    line += child(network, "path").is_null() ? style(Tone::warning, "no heartbeat interface")
                                             : "path " + text(network, "path");
    line += "; sent " + spoken_count(count(child(network, "sent"), "frames")) +
            " frames, received " + spoken_count(count(child(network, "received"), "frames"));
  }
  std::string dropped;
  for (const auto& [reason, times] : child(network, "dropped").items())
    if (times.is_number_unsigned())
      dropped +=
          (dropped.empty() ? "" : ", ") + reason + " " + spoken_count(times.get<std::uint64_t>());
  if (!dropped.empty()) line += "\n  " + style(Tone::faint, "dropped: " + dropped);
  return style(Tone::strong, "Cluster network") + "\n" + line + "\n";
}

// Its synchronised files, on both nodes.
Cell files_of(const Json& system) {
  const Json &own = child(system, "files"), &peers = child(child(system, "peer"), "files");
  if (own.empty()) return "-";
  if (!peers.is_object()) return {"not told", Tone::faint};
  return own == peers ? Cell("same", Tone::good) : Cell("DIFFERENT", Tone::bad);
}

std::string logical_systems(const Style& style, const Json& status) {
  Rows rows = {
      {"logical system", "VRF", "zone", "sessions", "interfaces", "files", "here", "at the peer"}};
  const Json& dataplane = child(status, "dataplane");
  const auto state = [](const Json& node) {
    if (!node.is_object()) return Cell("not told", Tone::faint);
    std::string missing;
    for (const Json& each : child(node, "lacks"))
      missing += (missing.empty() ? "LACKS " : ", ") + text(Json{{"i", each}}, "i");
    return missing.empty() ? Cell("complete", Tone::good) : Cell(missing, Tone::bad);
  };
  for (const Json& system : child(status, "logical_systems")) {
    std::string names;
    for (const Json& interface : child(system, "interfaces"))
      names += (names.empty() ? "" : ", ") + text(interface, "name") +
               (flag(interface, "up") ? "" : " (down)");
    const std::string zone = text(system, "zone");
    const std::string sessions =
        zone == "0" || !dataplane.is_object()
            ? "-"
            : spoken_count(count(child(dataplane, "sessions_of_zones"), zone.c_str()));
    rows.push_back({text(system, "name"), text(system, "vrf"), zone == "0" ? "-" : zone, sessions,
                    names, files_of(system), state(system), state(child(system, "peer"))});
  }
  if (rows.size() == 1) return "";
  return style(Tone::strong, "Logical systems") + "\n" + columns(style, rows);
}

std::string management(const Style& style, const Json& status) {
  const Json& management = child(status, "management");
  if (!management.is_object()) return "";
  std::string list;
  for (const Json& port : child(management, "ports"))
    list += "  " + text(port, "service") + ": chassis 1 at " + text(port, "chassis_1") +
            ", chassis 2 at " + text(port, "chassis_2") + "\n";
  return style(Tone::strong, "Ports of the management address") + "\n" + list;
}

std::string speed(const Json& interface) {
  const auto mbps = number(interface, "speed_mbps");
  if (!mbps || *mbps <= 0) return "unknown";
  char buffer[48];
  std::snprintf(buffer, sizeof buffer, "%g Gbit/s", *mbps / 1000);
  return buffer;
}

std::string interfaces(const Style& style, const Json& status) {
  Rows rows = {{"interface", "device", "link", "speed", "addresses", "logical system"}};
  for (const Json& interface : child(status, "data_interfaces")) {
    const std::string name = text(interface, "name");
    std::string held;
    for (const Json& address : child(status, "addresses"))
      if (text(address, "interface") == name)
        held += (held.empty() ? "" : " ") + text(address, "address") +
                (flag(address, "held") ? "" : " (not held)");
    const Cell link = flag(interface, "present") ? yes_no(flag(interface, "up"), "up", "DOWN")
                                                 : Cell("MISSING", Tone::bad);
    rows.push_back({name, text(interface, "device"), link, speed(interface), held,
                    text(interface, "logical_system")});
  }
  if (rows.size() == 1) return "";
  return style(Tone::strong, "Data interfaces of this node") + "\n" + columns(style, rows);
}

// LAGs by their members, where there are any.
std::string lags(const Style& style, const Json& status) {
  Rows rows = {{"LAG", "mode", "state", "usable", "members"}};
  for (const Json& interface : child(status, "data_interfaces")) {
    const Json& lag = child(interface, "lag");
    if (!lag.is_object()) continue;
    const std::string state = text(lag, "state");
    const auto total = count(lag, "total"), usable = count(lag, "usable");
    const bool forgiven = state == "good" && usable < total;
    std::string members;
    for (const Json& member : child(lag, "members")) {
      members += (members.empty() ? "" : ", ") + text(member, "device");
      if (!flag(member, "usable")) members += " (" + text(member, "why") + ")";
    }
    rows.push_back(
        {text(interface, "name"), text(lag, "mode"),
         Cell(forgiven ? "good, " + std::to_string(total - usable) + " lost is forgiven" : state,
              state == "good" ? Tone::good : Tone::bad),
         text(lag, "usable") + " of " + text(lag, "total"), members});
  }
  if (rows.size() == 1) return "";
  return style(Tone::strong, "LAGs of this node") + "\n" + columns(style, rows);
}

std::string modules(const Style& style, const Json& status) {
  Rows rows = {{"module", "kind", "what", "state", "why, or what it last said"}};
  for (const Json& module : child(status, "modules")) {
    const std::string state = text(module, "state");
    const std::string reason = text(module, "reason");
    const Tone tone = state == "good" ? Tone::good : state == "failed" ? Tone::bad : Tone::warning;
    rows.push_back({"slot " + text(module, "slot"), text(module, "kind"), text(module, "name"),
                    Cell(state == "failed" ? "FAILED" : state, tone),
                    reason.empty() ? text(module, "last_output") : reason});
  }
  if (rows.size() == 1) return "";
  return style(Tone::strong, "Modules of this node") + "\n" + columns(style, rows);
}

std::string remote_monitors(const Style& style, const Json& status) {
  Rows rows = {{"remote monitor", "interface", "by", "state", "last answer", "weight", ""}};
  for (const Json& monitor : child(status, "remote_monitors")) {
    const Cell state = child(monitor, "reached").is_null()
                           ? Cell("not known yet", Tone::warning)
                           : yes_no(flag(monitor, "reached"), "reached", "NOT REACHED");
    rows.push_back({text(monitor, "address"), text(monitor, "interface"), text(monitor, "method"),
                    state, ago(number(monitor, "last_answer_ms")), text(monitor, "weight"),
                    text(monitor, "trouble")});
  }
  const Json& witness = child(status, "witness");
  if (witness.is_object())
    rows.push_back({text(witness, "address"), "any", "icmp",
                    child(witness, "answers").is_null()
                        ? Cell("not known yet", Tone::warning)
                        : yes_no(flag(witness, "answers"), "answers", "DOES NOT ANSWER"),
                    ago(number(witness, "last_answer_ms")), "witness", text(witness, "trouble")});
  if (rows.size() == 1) return "";
  return style(Tone::strong, "Remote monitors as seen from this node") + "\n" +
         columns(style, rows);
}

std::string troubles(const Style& style, const Json& status) {
  std::string block;
  for (const Json& mismatch : child(status, "mismatches")) {
    block += "  " + style(Tone::bad, text(mismatch, "kind")) + " on " +
             text(mismatch, "interface") + ", " + spoken_count(count(mismatch, "count")) +
             " frames, last " + spoken_time(text(mismatch, "last_seen")) + ": " +
             text(mismatch, "detail") + "\n";
    const std::string advice = text(mismatch, "advice");
    if (!advice.empty()) block += "    mend it: " + advice + "\n";
  }
  const std::string conflict = text(status, "conflict");
  if (!conflict.empty()) block += "  " + style(Tone::bad, conflict) + "\n";
  for (const Json& warning : child(status, "warnings"))
    block += "  " + style(Tone::warning, text(Json{{"w", warning}}, "w")) + "\n";
  if (const auto episodes = count(status, "dual_primary_episodes"))
    block += "  both nodes were primary at once " + spoken_count(episodes) +
             (episodes == 1 ? " time" : " times") +
             " since this agent started (see: hotpair history)\n";
  return block.empty() ? "" : style(Tone::strong, "Look at") + "\n" + block;
}

}  // namespace

std::string status_view(const Style& style, const Json& status) {
  const Verdict said = verdict(status);
  std::string screen = style(said.tone == Tone::good ? Tone::strong : said.tone, said.text) + "\n";
  const Verdict wrong = alarms(status);
  screen += style(wrong.tone, wrong.text) + "\n";
  for (const std::string& block :
       {troubles(style, status), upgrade_view(style, status), nodes(style, status),
        reasons(style, status), paths(style, status), cluster_network(style, status),
        interfaces(style, status), lags(style, status), modules(style, status),
        remote_monitors(style, status), sessions_view(style, status), synchronised(style, status),
        logical_systems(style, status), management(style, status)})
    if (!block.empty()) screen += "\n" + block;
  return screen;
}

}  // namespace hotpair::ctl
