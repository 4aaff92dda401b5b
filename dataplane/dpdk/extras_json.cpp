#include "dataplane/dpdk/extras_json.hpp"

#include <array>
#include <span>

#include <netinet/in.h>
#include <nlohmann/json.hpp>

#include "platform/linux/ip_address.hpp"

namespace hotpair::dpdk {

namespace {

using dataplane::Extras;
using dataplane::Session;
using nlohmann::json;

// As the kernel numbers them: linux/netfilter/nf_conntrack_tcp.h, nf_conntrack_sctp.h,
// nf_conntrack_dccp.h.
constexpr const char* kTcpStates[] = {"none",     "syn_sent",   "syn_recv", "established",
                                      "fin_wait", "close_wait", "last_ack", "time_wait",
                                      "close",    "syn_sent2"};
constexpr const char* kSctpStates[] = {
    "none",          "closed",        "cookie_wait",       "cookie_echoed",  "established",
    "shutdown_sent", "shutdown_recd", "shutdown_ack_sent", "heartbeat_sent", "heartbeat_acked"};
constexpr const char* kDccpStates[] = {"none", "request",  "respond", "partopen",
                                       "open", "closereq", "closing", "timewait"};

struct Protocol {
  std::uint8_t number;
  const char* name;
};
constexpr Protocol kProtocols[] = {{IPPROTO_TCP, "tcp"},         {IPPROTO_UDP, "udp"},
                                   {IPPROTO_ICMP, "icmp"},       {IPPROTO_ICMPV6, "icmpv6"},
                                   {IPPROTO_SCTP, "sctp"},       {IPPROTO_DCCP, "dccp"},
                                   {IPPROTO_UDPLITE, "udplite"}, {IPPROTO_GRE, "gre"}};

std::string text(const dataplane::Address& address, bool ipv6) {
  return sys::to_text(sys::IpAddress{ipv6, address.bytes});
}

json labels_of(const Extras& extras) {
  json set = json::array();
  for (unsigned bit = 0; bit < 8 * extras.labels.size(); ++bit)
    if (extras.labels[bit / 8] >> (bit % 8) & 1) set.push_back(bit);
  return set;
}

json sequence_of(const Extras& extras) {
  json directions = json::array();
  for (const auto& s : extras.sequence)
    directions.push_back({{"position", s.position}, {"before", s.before}, {"after", s.after}});
  return directions;
}

json expectations_of(const Extras& extras, bool ipv6) {
  json list = json::array();
  for (const auto& e : extras.expectations)
    list.push_back({{"protocol", protocol_name(e.protocol)},
                    {"src", text(e.tuple.src, ipv6)},
                    {"dst", text(e.tuple.dst, ipv6)},
                    {"sport", e.tuple.src_port},
                    {"dport", e.tuple.dst_port},
                    {"timeout_s", e.timeout_s}});
  return list;
}

std::string name_of(std::uint8_t state, std::span<const char* const> names) {
  return state < names.size() ? names[state] : "unknown";
}

}  // namespace

std::string protocol_name(std::uint8_t number) {
  for (const Protocol& p : kProtocols)
    if (p.number == number) return p.name;
  return std::to_string(number);
}

std::string state_name(const Session& s) {
  switch (s.key.protocol) {
    case IPPROTO_TCP:
      return name_of(s.state.tcp_state, kTcpStates);
    case IPPROTO_SCTP:
      return name_of(s.state.tcp_state, kSctpStates);
    case IPPROTO_DCCP:
      return name_of(s.state.tcp_state, kDccpStates);
    default:
      return s.state.status & dataplane::kStatusSeenReply ? "replied" : "unreplied";
  }
}

void add_extras(json& out, const Session& session) {
  if (!session.state.extras) return;
  const Extras& extras = *session.state.extras;
  const bool ipv6 = session.key.ipv6;
  if (extras.has(Extras::kLabels)) out["labels"] = labels_of(extras);
  if (extras.has(Extras::kHelper)) out["helper"] = std::string(extras.helper.text());
  if (extras.has(Extras::kSequence)) out["sequence_adjustment"] = sequence_of(extras);
  if (extras.has(Extras::kSynproxy))
    out["synproxy"] = {{"isn", extras.synproxy.isn},
                       {"its", extras.synproxy.its},
                       {"timestamp_offset", extras.synproxy.timestamp_offset}};
  if (extras.has(Extras::kSctp)) out["sctp_tags"] = extras.sctp_tags;
  if (extras.has(Extras::kDccp)) out["dccp_role"] = extras.dccp_role == 0 ? "client" : "server";
  if (extras.has(Extras::kReplyZone)) out["reply_zone"] = extras.reply_zone;
  if (extras.has(Extras::kMaster))
    out["master"] = {{"protocol", protocol_name(extras.master_protocol)},
                     {"src", text(extras.master.src, ipv6)},
                     {"dst", text(extras.master.dst, ipv6)},
                     {"sport", extras.master.src_port},
                     {"dport", extras.master.dst_port}};
  if (extras.has(Extras::kExpectations)) out["expectations"] = expectations_of(extras, ipv6);
}

}  // namespace hotpair::dpdk
