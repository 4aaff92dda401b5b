#include "dataplane/dpdk/control_server.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "agent/daemon/control_schema.hpp"
#include "dataplane/core/digest.hpp"
#include "dataplane/dpdk/session_listing.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/ip_address.hpp"

namespace hotpair::dpdk {

namespace {

using nlohmann::json;

constexpr Duration kVerifyTime = 2s;

std::string refusal(const std::string& sentence) {
  return json{{"ok", false}, {"error", sentence}}.dump();
}

std::string role_name(dataplane::Role role) {
  switch (role) {
    case dataplane::Role::idle:
      return "idle";
    case dataplane::Role::backup:
      return "backup";
    case dataplane::Role::primary:
      return "primary";
  }
  return "unknown";
}

void add(json& counters, const conntrack::SourceCounters& c) {
  counters["conntrack_events"] = c.events;
  counters["conntrack_overruns"] = c.overruns;
  counters["conntrack_malformed"] = c.malformed;
  counters["conntrack_unsupported"] = c.unsupported;
  counters["conntrack_dumped"] = c.dumped;
  counters["conntrack_dumps"] = c.dumps;
}

void add(json& counters, const conntrack::SinkCounters& c) {
  counters["kernel_created"] = c.created;
  counters["kernel_updated"] = c.updated;
  counters["kernel_deleted"] = c.deleted;
  counters["kernel_refreshed"] = c.refreshed;
  counters["kernel_replaced"] = c.replaced;
  counters["kernel_in_use"] = c.in_use;
  counters["kernel_failed"] = c.failed;
  counters["kernel_table_full"] = c.table_full;
  counters["kernel_batches"] = c.batches;
  counters["kernel_helpers_missing"] = c.helpers_missing;
  counters["kernel_labels_missing"] = c.labels_missing;
  counters["kernel_expectations_refused"] = c.expectations_refused;
}

// The one that sessions leave by.
json port_json(const Ports* ports) {
  if (ports == nullptr) return {{"device", ""}, {"up", false}, {"mac", ""}};
  return {{"device", ports->device()}, {"up", ports->up()}, {"mac", sys::to_text(ports->mac())}};
}

json zones_json(const std::map<std::uint16_t, std::uint32_t>& zones) {
  json out = json::object();
  for (const auto& [zone, sessions] : zones) out[std::to_string(zone)] = sessions;
  return out;
}

json ports_json(const Ports* ports, Instant now) {
  json out = json::array();
  if (ports == nullptr) return out;
  for (const Ports::View& view : ports->views(now))
    out.push_back({{"device", view.device},
                   {"open", view.open},
                   {"up", view.up},
                   {"chosen", view.chosen},
                   {"heard", view.heard},
                   {"proven", view.proven},
                   {"mac", sys::to_text(view.mac)},
                   {"frame_bytes", view.chosen ? ports->room(now) : 0},
                   {"rx_frames", view.traffic.rx_frames},
                   {"tx_frames", view.traffic.tx_frames}});
  return out;
}

}  // namespace

Result<std::unique_ptr<ControlServer>> ControlServer::listen(sys::EventLoop& loop,
                                                             const std::string& path,
                                                             Replica& replica,
                                                             const Counters& counters,
                                                             const bool& agent_connected) {
  std::unique_ptr<ControlServer> out(new ControlServer(replica, counters, agent_connected));
  sys::LineServerOptions options;
  options.path = path;
  options.max_line = control::kMaxRequest;
  options.max_connections = control::kMaxConnections;
  options.too_long_answer = refusal("the request is too long");
  auto server = sys::LineServer::listen(
      loop, options, [self = out.get()](sys::ConnectionId connection, std::string_view line) {
        self->handle(connection, line);
      });
  if (!server.ok()) return fail(server.error());
  out->server_ = std::move(server).value();
  return out;
}

void ControlServer::handle(sys::ConnectionId connection, std::string_view line) {
  const json request = json::parse(line, nullptr, false);
  if (!request.is_object()) {
    server_->answer_and_close(connection, refusal("a request is one line with a JSON object"));
    return;
  }
  const auto it = request.find("command");
  const std::string command = it != request.end() && it->is_string() ? it->get<std::string>() : "";
  if (command == control::command::kDataplaneStatus) {
    server_->answer(connection, status());
  } else if (command == control::command::kSessions) {
    server_->answer(connection, list_sessions(replica_.engine(), request).dump());
  } else if (command == control::command::kVerify) {
    begin_verify(connection);
  } else {
    server_->answer(connection,
                    refusal("the data plane knows the commands status, sessions, verify"));
  }
}

void ControlServer::begin_verify(sys::ConnectionId connection) {
  const Instant now = sys::now();
  const dataplane::EngineStatus state = replica_.engine().status(now);
  if (state.role != dataplane::Role::primary) {
    server_->answer(connection,
                    refusal("tables are compared by the primary, this node is " +
                            role_name(state.role) + "; run 'hotpair verify' on the other node"));
  } else if (!state.peer_heard) {
    server_->answer(connection,
                    refusal("the peer's data plane is not heard; 'hotpair status' on both "
                            "nodes shows why"));
  } else {
    verifying_.push_back({connection, state.verify.round, now + kVerifyTime});
    replica_.request_verify();
  }
}

void ControlServer::work(Instant now) {
  if (verifying_.empty()) return;
  const dataplane::EngineStatus state = replica_.engine().status(now);
  const dataplane::VerifyReport& v = state.verify;
  const auto answered = [&](const Verifying& waiting) {
    if (v.round != waiting.round) {
      server_->answer(waiting.connection, json{{"ok", true},
                                               {"in_sync", state.in_sync},
                                               {"buckets", dataplane::kBuckets},
                                               {"compared", v.compared},
                                               {"different", v.different},
                                               {"sessions", v.sessions},
                                               {"peer_sessions", v.peer_sessions},
                                               {"took_ms", to_seconds(v.took) * 1000}}
                                              .dump());
      return true;
    }
    if (now < waiting.until) return false;
    server_->answer(
        waiting.connection,
        refusal("no comparison finished within two seconds; too much changes, or the peer "
                "does not answer"));
    return true;
  };
  verifying_.erase(std::remove_if(verifying_.begin(), verifying_.end(), answered),
                   verifying_.end());
}

std::string ControlServer::status() const {
  const Instant now = sys::now();
  const dataplane::EngineStatus state = replica_.engine().status(now);
  json counters = json::object();
  const auto add_counter = [&](std::string_view name, std::uint64_t value, std::string_view) {
    counters[std::string(name)] = value;
  };
  dataplane::for_each_counter(replica_.engine().counters(), add_counter);
  dpdk::for_each_counter(counters_, add_counter);
  add(counters, replica_.reader().counters());
  add(counters, replica_.writer().counters());
  counters["leftovers_removed"] = replica_.leftovers_removed();

  return json{{"ok", true},
              {"role", role_name(state.role)},
              {"epoch", state.epoch},
              {"in_sync", replica_.in_sync(now)},
              {"sessions", state.sessions},
              {"sessions_of_zones", zones_json(replica_.engine().table().sizes_of_zones())},
              {"peer_sessions", state.peer_sessions},
              {"lag_sessions", state.lag_sessions},
              {"lag_us", to_us(state.lag)},
              {"round_trip_us", to_us(state.round_trip)},
              {"bulk_running", state.bulk_running},
              {"peer_heard", state.peer_heard},
              {"agent_connected", agent_connected_},
              {"kernel_complete", replica_.writer().complete(now)},
              {"port", port_json(replica_.ports())},
              {"ports", ports_json(replica_.ports(), now)},
              {"counters", counters}}
      .dump();
}

}  // namespace hotpair::dpdk
