#include <cstdio>
#include <vector>

#include "agent/daemon/control_schema.hpp"
#include "tools/ctl/command.hpp"
#include "tools/ctl/json_access.hpp"

namespace hotpair::ctl {
namespace {

struct Filter {
  std::string protocol, address, state;
  int port = 0;
  std::uint64_t limit = 100;
  bool list = false;

  bool given() const {
    return list || !protocol.empty() || !address.empty() || !state.empty() || port;
  }
};
Filter filter;

constexpr std::uint64_t kPage = 1000;

Json page_request(const Json& cursor, std::uint64_t left) {
  Json request = {{"command", control::command::kSessions}, {"limit", std::min(kPage, left)}};
  if (!filter.protocol.empty()) request["protocol"] = filter.protocol;
  if (!filter.address.empty()) request["address"] = filter.address;
  if (!filter.state.empty()) request["state"] = filter.state;
  if (filter.port) request["port"] = filter.port;
  if (!cursor.is_null()) request["cursor"] = cursor;
  return request;
}

std::string endpoint(const Json& session, const char* address, const char* port) {
  const std::string host = text(session, address);
  const bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + text(session, port);
}

// What the other side sees: shown only where NAT made it differ.
std::string translation(const Json& session) {
  if (!flag(session, "nat")) return "";
  return "as " + endpoint(session, "reply_dst", "reply_dport") + " to " +
         endpoint(session, "reply_src", "reply_sport");
}

// What only some sessions have, in words; nothing for most.
std::string extras(const Json& session) {
  std::string out;
  const auto add = [&out](const std::string& words) { out += (out.empty() ? "" : ", ") + words; };
  if (session.contains("helper")) add("helper " + text(session, "helper"));
  for (const Json& e : child(session, "expectations"))
    add("expects " + text(e, "protocol") + " to " + endpoint(e, "dst", "dport"));
  if (const Json& labels = child(session, "labels"); labels.is_array() && !labels.empty()) {
    std::string set;
    for (const Json& label : labels)
      if (label.is_number_unsigned()) set += " " + std::to_string(label.get<unsigned>());
    add((labels.size() == 1 ? "label" : "labels") + set);
  }
  if (const Json& master = child(session, "master"); master.is_object())
    add("related to " + endpoint(master, "src", "sport") + " to " +
        endpoint(master, "dst", "dport"));
  if (session.contains("reply_zone")) add("reply zone " + text(session, "reply_zone"));
  if (session.contains("sequence_adjustment")) add("sequence adjusted");
  if (session.contains("synproxy")) add("synproxy");
  return out;
}

void print_table(const Context& context, const Json& sessions, std::uint64_t total) {
  std::vector<std::vector<Cell>> rows = {
      {"protocol", "from", "to", "state", "timeout", "mark", "zone", "NAT", "more"}};
  for (const Json& s : sessions)
    rows.push_back({text(s, "protocol"), endpoint(s, "src", "sport"), endpoint(s, "dst", "dport"),
                    text(s, "state"), text(s, "timeout_s") + " s", text(s, "mark"), text(s, "zone"),
                    translation(s), extras(s)});
  std::fputs(columns(context.style, rows).c_str(), stdout);
  std::printf("%s shown; %s sessions in the table%s\n", spoken_count(sessions.size()).c_str(),
              spoken_count(total).c_str(),
              sessions.size() >= filter.limit && filter.limit ? " (more: --limit N)" : "");
}

Exit count_only(const Context& context) {
  auto answer = context.ask(Daemon::dataplane,
                            {{"command", control::command::kSessions}, {"count_only", true}});
  if (!answer) return Exit::unreachable;
  if (!accepted(context, *answer)) return Exit::refused;
  if (!context.print_json(*answer))
    std::printf("%s sessions (list them: hotpair sessions --list)\n",
                spoken_count(count(*answer, "total")).c_str());
  return Exit::good;
}

}  // namespace

void add_sessions_options(CLI::App& app) {
  app.add_flag("--list", filter.list, "list them; any filter below lists too");
  app.add_option("--protocol", filter.protocol,
                 "tcp, udp, udplite, icmp, icmpv6, sctp, dccp, gre or a number");
  app.add_option("--address", filter.address, "an IPv4 or IPv6 address at either end");
  app.add_option("--port", filter.port, "a port at either end")->check(CLI::Range(1, 65535));
  app.add_option("--state", filter.state, "a TCP state, e.g. established");
  app.add_option("--limit", filter.limit, "how many at most; 0 for all")->capture_default_str();
}

Exit run_sessions(Context& context) {
  if (!filter.given()) return count_only(context);
  Json listed = Json::array();
  Json cursor;
  std::uint64_t total = 0;
  do {
    const std::uint64_t left = filter.limit ? filter.limit - listed.size() : kPage;
    auto answer = context.ask(Daemon::dataplane, page_request(cursor, left));
    if (!answer) return Exit::unreachable;
    if (!accepted(context, *answer)) return Exit::refused;
    total = count(*answer, "total");
    for (const Json& session : child(*answer, "sessions")) listed.push_back(session);
    cursor = child(*answer, "next");
  } while (!cursor.is_null() && (filter.limit == 0 || listed.size() < filter.limit));
  if (!context.print_json({{"ok", true}, {"total", total}, {"sessions", listed}, {"next", cursor}}))
    print_table(context, listed, total);
  return Exit::good;
}

}  // namespace hotpair::ctl
