#include "dataplane/conntrack/requests.hpp"

#include <algorithm>

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_sctp.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#include "dataplane/conntrack/replicated.hpp"

namespace hotpair::conntrack {

namespace {

using dataplane::Expectation;
using dataplane::Extras;
using dataplane::Session;
using dataplane::SessionKey;
using dataplane::SessionState;
using dataplane::Tuple;

constexpr std::uint16_t kNew = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
constexpr std::uint16_t kExpect = NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_NEW;
constexpr std::uint16_t kForget = NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_DELETE;
constexpr std::uint16_t kGetExpected = NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_GET;
constexpr std::uint16_t kGet = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
constexpr std::uint16_t kDelete = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;

// The answer to a query type, as in the kernel's tables (nf_conntrack_proto_icmp.c, _icmpv6.c); a
// type that has no answer stays as it is.
std::uint8_t answering_type(std::uint8_t protocol, std::uint8_t type) {
  struct Pair {
    std::uint8_t a, b;
  };
  constexpr Pair kV4[] = {{ICMP_ECHO, ICMP_ECHOREPLY},
                          {ICMP_TIMESTAMP, ICMP_TIMESTAMPREPLY},
                          {ICMP_INFO_REQUEST, ICMP_INFO_REPLY},
                          {ICMP_ADDRESS, ICMP_ADDRESSREPLY}};
  constexpr Pair kV6[] = {{ICMP6_ECHO_REQUEST, ICMP6_ECHO_REPLY}, {139, 140}};  // RFC 4620
  const auto answer = [type](const auto& pairs) {
    for (const Pair& p : pairs) {
      if (type == p.a) return p.b;
      if (type == p.b) return p.a;
    }
    return type;
  };
  return protocol == IPPROTO_ICMP ? answer(kV4) : answer(kV6);
}

// A TCP entry is never installed without a state: the kernel would take any segment for a first
// one.
std::uint8_t tcp_state_of(const SessionState& state) {
  if (state.tcp_state != TCP_CONNTRACK_NONE) return state.tcp_state;
  if (state.status & dataplane::kStatusAssured) return TCP_CONNTRACK_ESTABLISHED;
  return state.status & dataplane::kStatusSeenReply ? TCP_CONNTRACK_SYN_RECV
                                                    : TCP_CONNTRACK_SYN_SENT;
}

}  // namespace

Tuple untranslated_reply(const SessionKey& key) {
  Tuple reply = dataplane::reversed(key.original);
  if (is_icmp(key.protocol)) {
    const auto type = static_cast<std::uint8_t>(key.original.dst_port >> 8);
    const auto code = static_cast<std::uint8_t>(key.original.dst_port);
    reply.src_port = key.original.src_port;
    reply.dst_port = static_cast<std::uint16_t>(answering_type(key.protocol, type) << 8 | code);
  }
  return reply;
}

void RequestWriter::create(const Session& session, std::uint32_t timeout_s,
                           std::uint32_t sequence) {
  const std::uint8_t family = session.key.ipv6 ? AF_INET6 : AF_INET;
  const SessionKey& key = session.key;
  begin(kNew, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL, family, sequence);
  const bool one_zone = dataplane::reply_zone(session) == key.zone;
  put_tuple(CTA_TUPLE_ORIG, key, key.original, one_zone ? 0 : key.zone);
  put_tuple(CTA_TUPLE_REPLY, key, untranslated_reply(key),
            one_zone ? 0 : dataplane::reply_zone(session));
  if (one_zone) put_zone(CTA_ZONE, key.zone);
  put_nat_of(session);
  put_u32(CTA_TIMEOUT, has_fixed_timeout(key.protocol) ? kFixedTimeoutSeconds : timeout_s);
  if (session.state.mark != 0) put_u32(CTA_MARK, session.state.mark);  // a new entry has none
  put_state(session, 0);
  if (session.state.extras.has(Extras::kMaster)) {
    SessionKey master = key;
    master.protocol = session.state.extras->master_protocol;
    put_tuple(CTA_TUPLE_MASTER, master, session.state.extras->master);
  }
  end();
}

void RequestWriter::update(const Session& session, std::uint32_t timeout_s,
                           std::uint32_t sequence) {
  // Found by its reply direction: an entry of an earlier connection with the same original
  // direction but another translation is thus not taken for this one.
  begin(kNew, NLM_F_REQUEST, session.key.ipv6 ? AF_INET6 : AF_INET, sequence);
  put_tuple(CTA_TUPLE_REPLY, session.key, session.state.reply);
  put_zone(CTA_ZONE, dataplane::reply_zone(session));
  // Changing a fixed timeout is refused.
  if (!has_fixed_timeout(session.key.protocol)) put_u32(CTA_TIMEOUT, timeout_s);
  put_u32(CTA_MARK, session.state.mark);
  put_state(session, session.state.extras.has(Extras::kMaster) ? IPS_EXPECTED : 0);
  end();
}

void RequestWriter::set_timeout(const SessionKey& key, std::uint32_t timeout_s,
                                std::uint32_t sequence) {
  begin(kNew, NLM_F_REQUEST, key.ipv6 ? AF_INET6 : AF_INET, sequence);
  put_tuple(CTA_TUPLE_ORIG, key, key.original);
  put_zone(CTA_ZONE, key.zone);
  put_u32(CTA_TIMEOUT, timeout_s);
  end();
}

// Without a tuple a delete would flush the whole table; the kernel looks it up in both directions.
void RequestWriter::remove(const SessionKey& key, std::uint32_t sequence) {
  begin(kDelete, NLM_F_REQUEST, key.ipv6 ? AF_INET6 : AF_INET, sequence);
  put_tuple(CTA_TUPLE_ORIG, key, key.original);
  put_zone(CTA_ZONE, key.zone);
  end();
}

void RequestWriter::remove_reply(const Session& session, std::uint32_t sequence) {
  begin(kDelete, NLM_F_REQUEST, session.key.ipv6 ? AF_INET6 : AF_INET, sequence);
  put_tuple(CTA_TUPLE_ORIG, session.key, session.state.reply);
  put_zone(CTA_ZONE, dataplane::reply_zone(session));
  end();
}

void RequestWriter::get(const SessionKey& key, std::uint32_t sequence) {
  begin(kGet, NLM_F_REQUEST, key.ipv6 ? AF_INET6 : AF_INET, sequence);
  put_tuple(CTA_TUPLE_ORIG, key, key.original);
  put_zone(CTA_ZONE, key.zone);
  end();
}

void RequestWriter::dump(std::uint32_t sequence) {
  begin(kGet, NLM_F_REQUEST | NLM_F_DUMP, AF_UNSPEC, sequence);
  end();
}

void RequestWriter::dump_expectations(std::uint32_t sequence) {
  begin(kGetExpected, NLM_F_REQUEST | NLM_F_DUMP, AF_UNSPEC, sequence);
  end();
}

// The NAT bits may not be set directly: the kernel sets them from CTA_NAT_*. CONFIRMED and EXPECTED
// may not change: an entry made by ctnetlink has the first, and the other once it has its master.
void RequestWriter::put_status(const Session& session, std::uint32_t unchanged) {
  std::uint32_t status =
      session.state.status & (dataplane::kStatusSeenReply | dataplane::kStatusAssured);
  if (has_fixed_timeout(session.key.protocol)) status |= IPS_FIXED_TIMEOUT;
  put_u32(CTA_STATUS, status | IPS_CONFIRMED | unchanged);
}

void RequestWriter::put_state(const Session& session, std::uint32_t unchanged) {
  put_status(session, unchanged);
  put_protocol_info(session);
  if (session.state.extras) put_extras(*session.state.extras);
}

void RequestWriter::put_extras(const Extras& extras) {
  if (extras.has(Extras::kHelper)) {
    const std::size_t help = open_nest(CTA_HELP);
    put_text(CTA_HELP_NAME, extras.helper.text());
    close_nest(help);
  }
  if (extras.has(Extras::kLabels)) put(CTA_LABELS, extras.labels.data(), extras.labels.size());
  if (extras.has(Extras::kSequence)) {
    put_sequence(CTA_SEQ_ADJ_ORIG, extras.sequence[0]);
    put_sequence(CTA_SEQ_ADJ_REPLY, extras.sequence[1]);
  }
  if (extras.has(Extras::kSynproxy)) {
    const std::size_t nest = open_nest(CTA_SYNPROXY);
    put_u32(CTA_SYNPROXY_ISN, extras.synproxy.isn);
    put_u32(CTA_SYNPROXY_ITS, extras.synproxy.its);
    put_u32(CTA_SYNPROXY_TSOFF, extras.synproxy.timestamp_offset);
    close_nest(nest);
  }
}

void RequestWriter::put_sequence(std::uint16_t type,
                                 const dataplane::SequenceAdjustment& adjustment) {
  const std::size_t nest = open_nest(type);
  put_u32(CTA_SEQADJ_CORRECTION_POS, adjustment.position);
  put_u32(CTA_SEQADJ_OFFSET_BEFORE, static_cast<std::uint32_t>(adjustment.before));
  put_u32(CTA_SEQADJ_OFFSET_AFTER, static_cast<std::uint32_t>(adjustment.after));
  close_nest(nest);
}

void RequestWriter::put_protocol_info(const Session& session) {
  switch (session.key.protocol) {
    case IPPROTO_TCP:
      return put_tcp(session.state);
    case IPPROTO_SCTP:
      return put_sctp(session.state);
    case IPPROTO_DCCP:
      return put_dccp(session.state);
    default:
      return;
  }
}

// The kernel takes all three or none, and older ones do not check the state.
void RequestWriter::put_sctp(const SessionState& state) {
  if (!state.extras.has(Extras::kSctp)) return;
  const std::uint8_t known = std::min<std::uint8_t>(state.tcp_state, SCTP_CONNTRACK_HEARTBEAT_SENT);
  const std::size_t info = open_nest(CTA_PROTOINFO);
  const std::size_t sctp = open_nest(CTA_PROTOINFO_SCTP);
  put_u8(CTA_PROTOINFO_SCTP_STATE, known);
  put_u32(CTA_PROTOINFO_SCTP_VTAG_ORIGINAL, state.extras->sctp_tags[0]);
  put_u32(CTA_PROTOINFO_SCTP_VTAG_REPLY, state.extras->sctp_tags[1]);
  close_nest(sctp);
  close_nest(info);
}

void RequestWriter::put_dccp(const SessionState& state) {
  if (!state.extras.has(Extras::kDccp)) return;
  std::uint8_t handshake[8];
  store_be(handshake, state.extras->dccp_handshake);
  const std::size_t info = open_nest(CTA_PROTOINFO);
  const std::size_t dccp = open_nest(CTA_PROTOINFO_DCCP);
  put_u8(CTA_PROTOINFO_DCCP_STATE, state.tcp_state);
  put_u8(CTA_PROTOINFO_DCCP_ROLE, state.extras->dccp_role);
  put(CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ, handshake, sizeof handshake);
  close_nest(dccp);
  close_nest(info);
}

void RequestWriter::put_tcp(const SessionState& state) {
  // BE_LIBERAL: no window is known here, so the first segment seen mid-stream must not be judged by
  // one.
  constexpr auto kMask = static_cast<std::uint8_t>(kReplicatedTcpFlags | IP_CT_TCP_FLAG_BE_LIBERAL);
  const auto flags = [](std::uint8_t carried) {
    return static_cast<std::uint8_t>((carried & kReplicatedTcpFlags) | IP_CT_TCP_FLAG_BE_LIBERAL);
  };
  const std::uint8_t original[] = {flags(state.tcp_flags_original), kMask};
  const std::uint8_t reply[] = {flags(state.tcp_flags_reply), kMask};
  const std::size_t info = open_nest(CTA_PROTOINFO);
  const std::size_t tcp = open_nest(CTA_PROTOINFO_TCP);
  put_u8(CTA_PROTOINFO_TCP_STATE, tcp_state_of(state));
  put(CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, original, sizeof original);
  put(CTA_PROTOINFO_TCP_FLAGS_REPLY, reply, sizeof reply);
  put_u8(CTA_PROTOINFO_TCP_WSCALE_ORIGINAL, state.tcp_wscale_original);
  put_u8(CTA_PROTOINFO_TCP_WSCALE_REPLY, state.tcp_wscale_reply);
  close_nest(tcp);
  close_nest(info);
}

void RequestWriter::put_nat_of(const Session& session) {
  const SessionKey& key = session.key;
  const Tuple plain = untranslated_reply(key);
  const Tuple& reply = session.state.reply;
  const bool icmp = is_icmp(key.protocol);
  // ICMP has one identifier, which counts as the source's.
  if (reply.src != plain.src || (!icmp && reply.src_port != plain.src_port))
    put_nat(CTA_NAT_DST, key, reply.src, icmp ? 0 : reply.src_port);
  const std::uint16_t source_port = icmp ? reply.src_port : reply.dst_port;
  const std::uint16_t plain_port = icmp ? plain.src_port : plain.dst_port;
  if (reply.dst != plain.dst || source_port != plain_port)
    put_nat(CTA_NAT_SRC, key, reply.dst, source_port);
}

void RequestWriter::put_nat(std::uint16_t type, const SessionKey& key,
                            const dataplane::Address& address, std::uint16_t port) {
  const std::size_t nat = open_nest(type);
  if (key.ipv6) {
    put(CTA_NAT_V6_MINIP, address.bytes.data(), 16);
    put(CTA_NAT_V6_MAXIP, address.bytes.data(), 16);
  } else {
    put(CTA_NAT_V4_MINIP, address.bytes.data(), 4);
    put(CTA_NAT_V4_MAXIP, address.bytes.data(), 4);
  }
  if ((has_ports(key.protocol) && key.protocol != IPPROTO_GRE) ||
      (is_icmp(key.protocol) && type == CTA_NAT_SRC)) {
    const std::size_t ports = open_nest(CTA_NAT_PROTO);
    put_u16(CTA_PROTONAT_PORT_MIN, port);
    put_u16(CTA_PROTONAT_PORT_MAX, port);
    close_nest(ports);
  }
  close_nest(nat);
}

// A helper is named where its class has to be known: by that the kernel counts how much may be
// expected. Whatever comes then has that helper too, which a plain data connection must not have:
// the helper would look for orders in it.
void RequestWriter::expect(const Session& master, const Expectation& expectation,
                           std::uint32_t timeout_s, bool may_create, std::uint32_t sequence) {
  const std::uint16_t create = may_create ? NLM_F_CREATE : 0;
  begin(kExpect, NLM_F_REQUEST | create, master.key.ipv6 ? AF_INET6 : AF_INET, sequence);
  put_tuple(CTA_EXPECT_MASTER, master.key, master.key.original);
  put_expected(master.key, expectation);
  put_u32(CTA_EXPECT_TIMEOUT, timeout_s);
  put_u32(CTA_EXPECT_FLAGS, expectation.flags);
  const bool signals = (expectation.flags & NF_CT_EXPECT_PERMANENT) != 0;
  if ((expectation.policy_class != 0 || signals) && master.state.extras.has(Extras::kHelper)) {
    put_text(CTA_EXPECT_HELP_NAME, master.state.extras->helper.text());
    put_u32(CTA_EXPECT_CLASS, expectation.policy_class);
  }
  if (expectation.translated) put_saved(master.key, expectation);
  if (!expectation.function.empty()) put_text(CTA_EXPECT_FN, expectation.function.text());
  end();
}

void RequestWriter::forget(const SessionKey& master, const Expectation& expectation,
                           std::uint32_t sequence) {
  begin(kForget, NLM_F_REQUEST, master.ipv6 ? AF_INET6 : AF_INET, sequence);
  put_expected(master, expectation);
  end();
}

// The tuple, and which of it counts: all of the destination.
void RequestWriter::put_expected(const SessionKey& master, const Expectation& expectation) {
  SessionKey key = master;
  key.protocol = expectation.protocol;
  put_tuple(CTA_EXPECT_TUPLE, key, expectation.tuple);
  Tuple mask;
  mask.src = expectation.source_mask;
  mask.src_port = expectation.source_port_mask;
  mask.dst.bytes.fill(0xff);
  mask.dst_port = 0xffff;
  put_tuple(CTA_EXPECT_MASK, key, mask);
  put_zone(CTA_EXPECT_ZONE, master.zone);
}

void RequestWriter::put_saved(const SessionKey& master, const Expectation& expectation) {
  Tuple saved;
  saved.src = expectation.saved_address;
  saved.src_port = expectation.saved_port;
  const std::size_t nat = open_nest(CTA_EXPECT_NAT);
  put_u32(CTA_EXPECT_NAT_DIR, expectation.saved_direction);
  put_tuple(CTA_EXPECT_NAT_TUPLE, master, saved);
  close_nest(nat);
}

}  // namespace hotpair::conntrack
