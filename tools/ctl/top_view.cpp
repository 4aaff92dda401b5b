#include "tools/ctl/top_view.hpp"

#include <cstdio>
#include <optional>

#include "tools/ctl/json_access.hpp"
#include "tools/ctl/status_view.hpp"

namespace hotpair::ctl {
namespace {

using Json = nlohmann::json;
using Rows = std::vector<std::vector<Cell>>;

std::string printed(const char* format, double value) {
  char buffer[48];
  std::snprintf(buffer, sizeof buffer, format, value);
  return buffer;
}

std::string spoken_rate(std::optional<double> rate, const char* unit) {
  if (!rate) return "-";
  const double value = *rate;
  if (value >= 1e9) return printed("%.2f G", value / 1e9) + unit;
  if (value >= 1e6) return printed("%.2f M", value / 1e6) + unit;
  if (value >= 1e4) return printed("%.1f k", value / 1e3) + unit;
  return printed("%.0f ", value) + unit;
}

// What a counter rose by in a second between the two looks.
class Rates {
 public:
  Rates(const Look& before, const Look& now) : seconds_(to_seconds(now.at - before.at)) {}
  std::optional<double> of(const Json& before, const Json& now, const char* key) const {
    const auto first = number(before, key), last = number(now, key);
    if (!first || !last || *last < *first || seconds_ <= 0) return std::nullopt;
    return (*last - *first) / seconds_;
  }

 private:
  double seconds_;
};

Cell good_or(bool good, const char* yes, const char* no) {
  return good ? Cell(yes, Tone::good) : Cell(no, Tone::bad);
}

std::vector<Cell> node_row(const Json& node, const char* which) {
  const Json& health = child(node, "health");
  const std::string role = text(node, "role"), forced = text(node, "forced");
  return {
      text(node, "hostname") + " (" + which + ")",
      Cell(role.empty() ? "-" : role, role == "primary" ? Tone::good
                                      : role == "fault" ? Tone::bad
                                                        : Tone::plain),
      spoken_duration(number(node, "role_seconds").value_or(0)),
      text(node, "epoch"),
      flag(node, "addresses_held") ? "held" : "-",
      spoken_count(count(node, "sessions")),
      good_or(flag(node, "dataplane_alive"), "alive", "DOWN"),
      printed("%g Gbit/s", number(health, "bandwidth_gbps").value_or(0)),
      count(health, "failed_modules") ? Cell(text(health, "failed_modules"), Tone::bad) : Cell("0"),
      forced == "none" || forced.empty() ? Cell("-") : Cell(forced, Tone::warning)};
}

void add_nodes(const Style& style, const Json& status, std::string& out) {
  Rows rows = {{"node", "role", "for", "epoch", "addresses", "sessions", "data plane", "bandwidth",
                "failed", "forced"}};
  rows.push_back(node_row(child(status, "node"), "this"));
  const Json& peer = child(status, "peer");
  if (peer.is_object()) rows.push_back(node_row(peer, flag(peer, "alive") ? "peer" : "NOT HEARD"));
  out += columns(style, rows) + "\n";
}

void add_replication(const Style& style, const Look& before, const Look& now, std::string& out) {
  const Rates rates(before, now);
  const Json &then = child(before.dataplane, "counters"),
             &counters = child(now.dataplane, "counters");
  const Json& replication = child(now.agent, "replication");
  const auto rate = [&](const char* key) { return rates.of(then, counters, key); };
  const auto bits = [&](const char* key) {
    const auto bytes = rate(key);
    return spoken_rate(bytes ? std::optional(*bytes * 8) : std::nullopt, "bit/s");
  };
  const auto both = [&](const char* sent, const char* applied) -> std::optional<double> {
    const auto out_rate = rate(sent), in_rate = rate(applied);
    if (!out_rate || !in_rate) return std::nullopt;
    return *out_rate + *in_rate;
  };
  Rows rows = {
      {"sessions", "in sync", "lag", "created", "updated", "ended", "lost", "sent", "received"}};
  rows.push_back({"", good_or(flag(replication, "in_sync"), "yes", "NO"),
                  spoken_count(count(replication, "lag_sessions")) + " / " +
                      printed("%.1f ms", number(replication, "lag_us").value_or(0) / 1e3),
                  spoken_rate(both("creates_sent", "creates_applied"), "/s"),
                  spoken_rate(both("updates_sent", "updates_applied"), "/s"),
                  spoken_rate(both("deletes_sent", "deletes_applied"), "/s"),
                  spoken_rate(rate("frames_lost"), "/s"), bits("tx_bytes"), bits("rx_bytes")});
  out += columns(style, rows) + "\n";
}

const Json& path_before(const Look& before, const Json& path) {
  static const Json kNone;
  for (const Json& each : child(before.agent, "heartbeat_paths"))
    if (text(each, "path") == text(path, "path")) return each;
  return kNone;
}

Cell path_state(const Json& path) {
  if (flag(path, "alive") && flag(path, "heard_by_peer")) return {"alive", Tone::good};
  if (flag(path, "alive")) return {"ONE WAY: the peer does not hear us", Tone::bad};
  return {flag(path, "link_up") ? "SILENT" : "NO LINK", Tone::bad};
}

void add_paths(const Style& style, const Look& before, const Look& now, std::string& out) {
  const Rates rates(before, now);
  Rows rows = {{"heartbeats", "kind", "last heard", "received", "lost", "latest", "state"}};
  for (const Json& path : child(now.agent, "heartbeat_paths")) {
    const auto heard = number(path, "last_heard_ms");
    const auto late = number(child(path, "jitter"), "recent_max_ms");
    rows.push_back({text(path, "interface"), text(path, "kind"),
                    heard ? printed("%.0f ms ago", *heard) : "never",
                    spoken_rate(rates.of(path_before(before, path), path, "received"), "/s"),
                    spoken_count(count(path, "lost")), late ? printed("+%.1f ms", *late) : "-",
                    path_state(path)});
  }
  out += columns(style, rows) + "\n";
}

std::string lag_text(const Json& lag) {
  if (!lag.is_object()) return "";
  return text(lag, "usable") + " of " + text(lag, "total") + " members, " + text(lag, "mode");
}

void add_links(const Style& style, const Look& before, const Look& now, std::string& out) {
  Rows rows = {{"links", "device", "state", "speed", ""}};
  for (const Json& link : child(now.agent, "data_interfaces"))
    rows.push_back({text(link, "name"), text(link, "device"),
                    good_or(flag(link, "up"), "up", flag(link, "present") ? "DOWN" : "MISSING"),
                    printed("%g Gbit/s", number(link, "speed_mbps").value_or(0) / 1e3),
                    lag_text(child(link, "lag"))});
  const Json& network = child(now.agent, "cluster_network");
  if (flag(network, "enabled")) {
    const Rates rates(before, now);
    const auto& then = child(before.agent, "cluster_network");
    const auto bits = [&](const char* way) {
      const auto bytes = rates.of(child(then, way), child(network, way), "bytes");
      return spoken_rate(bytes ? std::optional(*bytes * 8) : std::nullopt, "bit/s");
    };
    rows.push_back({"cluster network", text(network, "device"),
                    good_or(flag(network, "up"), "up", "DOWN"), "",
                    bits("sent") + " sent, " + bits("received") + " received"});
  }
  out += columns(style, rows) + "\n";
}

void add_history(const Style& style, const Look& now, std::string& out) {
  Rows rows = {{"history", "epoch", "change", "kind", "took", "reason"}};
  const Json& changes = child(now.history, "changes");
  if (!changes.is_array()) return;
  for (auto change = changes.rbegin(); change != changes.rend(); ++change)
    rows.push_back({spoken_time(text(*change, "time")), text(*change, "epoch"),
                    text(*change, "from") + " -> " + text(*change, "to"), text(*change, "kind"),
                    printed("%.1f ms", number(*change, "total_ms").value_or(0)),
                    text(*change, "reason")});
  out += columns(style, rows);
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string frame_text(const Style& style, const Look& before, const Look& now) {
  if (!now.agent.is_object())
    return style(Tone::bad, "hotpaird is not reachable: " + now.trouble) +
           "\n\n  It is asked again; 'systemctl status hotpaird' says more.\n";
  const Verdict first = verdict(now.agent), second = alarms(now.agent);
  std::string out = style(first.tone, first.text) + "\n" + style(second.tone, second.text) + "\n";
  const std::string upgrade = upgrade_sentence(now.agent);
  out += (upgrade.empty() ? "" : style(Tone::warning, upgrade) + "\n") + "\n";
  add_nodes(style, now.agent, out);
  add_replication(style, before, now, out);
  add_paths(style, before, now, out);
  add_links(style, before, now, out);
  add_history(style, now, out);
  return out;
}

}  // namespace

std::string cut_to(const std::string& line, std::size_t columns) {
  std::size_t places = 0, at = 0;
  bool coloured = false;
  while (at < line.size()) {
    if (line[at] == '\033') {
      const std::size_t end = line.find('m', at);
      if (end == std::string::npos) break;
      coloured = line.compare(at, 4, "\033[0m") != 0;
      at = end + 1;
      continue;
    }
    if (places == columns) break;
    // The bytes of one character take one place.
    for (++at; at < line.size() && (static_cast<unsigned char>(line[at]) & 0xc0) == 0x80;) ++at;
    ++places;
  }
  return line.substr(0, at) + (coloured && at < line.size() ? "\033[0m" : "");
}

std::vector<std::string> top_frame(const Style& style, const Look& before, const Look& now,
                                   const Screen& screen) {
  auto lines = lines_of(frame_text(style, before, now));
  if (lines.size() > screen.rows) lines.resize(screen.rows);
  for (std::string& line : lines) line = cut_to(line, screen.columns);
  return lines;
}

}  // namespace hotpair::ctl
