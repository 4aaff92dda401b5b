// The block of the status that says how many sessions stand where, whether the tables are equal,
// and over which ports they go.
#include <cstdio>

#include "tools/ctl/json_access.hpp"
#include "tools/ctl/status_view.hpp"

namespace hotpair::ctl {
namespace {

using Json = nlohmann::json;

// Nothing with one port: that it is down is among the alarms.
std::string sync_ports(const Style& style, const Json& dataplane) {
  const Json& ports = child(dataplane, "ports");
  if (!ports.is_array() || ports.size() < 2) return "";
  std::string out;
  for (const Json& port : ports) {
    const Cell state = !flag(port, "open")    ? Cell("cannot be used", Tone::bad)
                       : !flag(port, "up")    ? Cell("no link", Tone::bad)
                       : flag(port, "proven") ? Cell("reaches the peer", Tone::good)
                       : flag(port, "heard")  ? Cell("is not heard by the peer", Tone::warning)
                                              : Cell("does not hear the peer", Tone::warning);
    out += "\n  over " + text(port, "device") + ": " + style(state.tone, state.text) +
           (flag(port, "chosen") ? ", in use" : "");
  }
  return out;
}

}  // namespace

std::string sessions_view(const Style& style, const Json& status) {
  const Json& replication = child(status, "replication");
  std::string line = "  " + spoken_count(count(replication, "sessions_local")) + " here, " +
                     spoken_count(count(replication, "sessions_peer")) + " at the peer; ";
  if (!flag(status, "session_pickup")) {
    line += "not replicated: session_pickup is off in cluster.yaml";
  } else if (flag(status, "in_sync")) {
    line += style(Tone::good, "in sync: digests equal");
  } else {
    line +=
        style(Tone::warning, "NOT IN SYNC: " + spoken_count(count(replication, "lag_sessions")) +
                                 " sessions behind");
  }
  if (auto lag = number(replication, "lag_us"); lag && *lag > 0) {
    char buffer[64];
    std::snprintf(buffer, sizeof buffer, "; oldest unsent change %.1f ms", *lag / 1e3);
    line += buffer;
  }
  const Json& dataplane = child(status, "dataplane");
  if (dataplane.is_object() && !flag(dataplane, "ok"))
    line +=
        "\n  " +
        style(Tone::bad, "this node's data plane does not answer: " + text(dataplane, "error")) +
        "\n  mend it: systemctl restart hotpair-dataplane";
  line += sync_ports(style, dataplane);
  return style(Tone::strong, "Sessions") + "\n" + line + "\n";
}

}  // namespace hotpair::ctl
