#include "dataplane/conntrack/requests.hpp"

#include <cstring>

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "dataplane/conntrack/replicated.hpp"
#include "platform/base/assert.hpp"

namespace hotpair::conntrack {

namespace {

using dataplane::Session;
using dataplane::SessionKey;
using dataplane::SessionState;
using dataplane::Tuple;

constexpr std::uint16_t kNew = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
constexpr std::uint16_t kGet = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
constexpr std::size_t kAttributeHeader = sizeof(nlattr);
static_assert(kAttributeHeader == 4, "attributes are aligned to four bytes, header included");

constexpr std::uint16_t kDelete = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;

bool is_icmp(std::uint8_t protocol) {
  return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

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

RequestWriter::RequestWriter(std::size_t max_requests) : buffer_(max_requests * kMaxRequestBytes) {}

void RequestWriter::create(const Session& session, std::uint32_t timeout_s,
                           std::uint32_t sequence) {
  const std::uint8_t family = session.key.ipv6 ? AF_INET6 : AF_INET;
  begin(kNew, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL, family, sequence);
  put_tuple(CTA_TUPLE_ORIG, session.key, session.key.original);
  put_tuple(CTA_TUPLE_REPLY, session.key, untranslated_reply(session.key));
  put_nat_of(session);
  put_state(session, timeout_s);
  end();
}

void RequestWriter::update(const Session& session, std::uint32_t timeout_s,
                           std::uint32_t sequence) {
  // Found by its reply direction: an entry of an earlier connection with the same original
  // direction but another translation is thus not taken for this one.
  begin(kNew, NLM_F_REQUEST, session.key.ipv6 ? AF_INET6 : AF_INET, sequence);
  put_tuple(CTA_TUPLE_REPLY, session.key, session.state.reply);
  put_state(session, timeout_s);
  end();
}

void RequestWriter::set_timeout(const SessionKey& key, std::uint32_t timeout_s,
                                std::uint32_t sequence) {
  begin(kNew, NLM_F_REQUEST, key.ipv6 ? AF_INET6 : AF_INET, sequence);
  put_tuple(CTA_TUPLE_ORIG, key, key.original);
  put_zone(key.zone);
  put_u32(CTA_TIMEOUT, timeout_s);
  end();
}

void RequestWriter::remove(const SessionKey& key, const Tuple& tuple, std::uint32_t sequence) {
  // Without a tuple a delete would flush the whole table; the kernel looks it up in both
  // directions.
  begin(kDelete, NLM_F_REQUEST, key.ipv6 ? AF_INET6 : AF_INET, sequence);
  put_tuple(CTA_TUPLE_ORIG, key, tuple);
  put_zone(key.zone);
  end();
}

void RequestWriter::dump(std::uint32_t sequence) {
  begin(kGet, NLM_F_REQUEST | NLM_F_DUMP, AF_UNSPEC, sequence);
  end();
}

void RequestWriter::put_state(const Session& session, std::uint32_t timeout_s) {
  put_zone(session.key.zone);
  put_u32(CTA_TIMEOUT, timeout_s);
  // The NAT bits may not be set directly: the kernel sets them from CTA_NAT_*. CONFIRMED may not
  // change, and an entry made by ctnetlink has it.
  const std::uint32_t carried =
      session.state.status & (dataplane::kStatusSeenReply | dataplane::kStatusAssured);
  put_u32(CTA_STATUS, carried | IPS_CONFIRMED);
  put_u32(CTA_MARK, session.state.mark);
  if (session.key.protocol == IPPROTO_TCP) put_tcp(session.state);
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
  if (has_ports(key.protocol) || (is_icmp(key.protocol) && type == CTA_NAT_SRC)) {
    const std::size_t ports = open_nest(CTA_NAT_PROTO);
    put_u16(CTA_PROTONAT_PORT_MIN, port);
    put_u16(CTA_PROTONAT_PORT_MAX, port);
    close_nest(ports);
  }
  close_nest(nat);
}

void RequestWriter::put_tuple(std::uint16_t type, const SessionKey& key, const Tuple& tuple) {
  const std::size_t nest = open_nest(type);
  const std::size_t addresses = open_nest(CTA_TUPLE_IP);
  const std::size_t size = key.ipv6 ? 16 : 4;
  put(key.ipv6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, tuple.src.bytes.data(), size);
  put(key.ipv6 ? CTA_IP_V6_DST : CTA_IP_V4_DST, tuple.dst.bytes.data(), size);
  close_nest(addresses);
  put_protocol(key.protocol, key.ipv6, tuple);
  close_nest(nest);
}

void RequestWriter::put_protocol(std::uint8_t protocol, bool ipv6, const Tuple& tuple) {
  const std::size_t nest = open_nest(CTA_TUPLE_PROTO);
  put_u8(CTA_PROTO_NUM, protocol);
  if (is_icmp(protocol)) {
    put_u16(ipv6 ? CTA_PROTO_ICMPV6_ID : CTA_PROTO_ICMP_ID, tuple.src_port);
    put_u8(ipv6 ? CTA_PROTO_ICMPV6_TYPE : CTA_PROTO_ICMP_TYPE,
           static_cast<std::uint8_t>(tuple.dst_port >> 8));
    put_u8(ipv6 ? CTA_PROTO_ICMPV6_CODE : CTA_PROTO_ICMP_CODE,
           static_cast<std::uint8_t>(tuple.dst_port));
  } else if (has_ports(protocol)) {
    put_u16(CTA_PROTO_SRC_PORT, tuple.src_port);
    put_u16(CTA_PROTO_DST_PORT, tuple.dst_port);
  }
  close_nest(nest);
}

void RequestWriter::put_zone(std::uint16_t zone) {
  if (zone != 0) put_u16(CTA_ZONE, zone);
}

void RequestWriter::begin(std::uint16_t type, std::uint16_t flags, std::uint8_t family,
                          std::uint32_t sequence) {
  HOTPAIR_ASSERT(has_room());
  message_start_ = used_;
  nlmsghdr header{};
  header.nlmsg_type = type;
  header.nlmsg_flags = flags;
  header.nlmsg_seq = sequence;
  std::memcpy(buffer_.data() + used_, &header, sizeof header);
  nfgenmsg generic{};
  generic.nfgen_family = family;
  generic.version = NFNETLINK_V0;
  std::memcpy(buffer_.data() + used_ + NLMSG_HDRLEN, &generic, sizeof generic);
  used_ += NLMSG_HDRLEN + NLMSG_ALIGN(sizeof generic);
}

void RequestWriter::end() {
  const auto length = static_cast<std::uint32_t>(used_ - message_start_);
  std::memcpy(buffer_.data() + message_start_, &length, sizeof length);  // nlmsg_len comes first
}

std::size_t RequestWriter::open_nest(std::uint16_t type) {
  const std::size_t start = used_;
  put(type | NLA_F_NESTED, nullptr, 0);
  return start;
}

void RequestWriter::close_nest(std::size_t start) {
  const auto length = static_cast<std::uint16_t>(used_ - start);
  std::memcpy(buffer_.data() + start, &length, sizeof length);  // nla_len comes first
}

void RequestWriter::put(std::uint16_t type, const std::uint8_t* data, std::size_t size) {
  nlattr attribute{};
  attribute.nla_len = static_cast<std::uint16_t>(kAttributeHeader + size);
  attribute.nla_type = type;
  std::uint8_t* at = buffer_.data() + used_;
  std::memcpy(at, &attribute, sizeof attribute);
  if (size != 0) std::memcpy(at + kAttributeHeader, data, size);
  const std::size_t padded = (size + 3) & ~std::size_t{3};
  std::memset(at + kAttributeHeader + size, 0, padded - size);
  used_ += kAttributeHeader + padded;
}

void RequestWriter::put_u16(std::uint16_t type, std::uint16_t value) {
  std::uint8_t bytes[2];
  store_be(bytes, value);
  put(type, bytes, sizeof bytes);
}

void RequestWriter::put_u32(std::uint16_t type, std::uint32_t value) {
  std::uint8_t bytes[4];
  store_be(bytes, value);
  put(type, bytes, sizeof bytes);
}

}  // namespace hotpair::conntrack
