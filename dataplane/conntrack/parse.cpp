// ctnetlink messages into sessions, in place (attributes: linux/netfilter/nfnetlink_conntrack.h).
// What the kernel sends is checked like any other input: lengths, presence, families.
#include <cstring>

#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include "dataplane/conntrack/replicated.hpp"
#include "dataplane/conntrack/source.hpp"
#include "platform/base/bytes.hpp"

namespace hotpair::conntrack {

namespace {

using dataplane::Session;
using dataplane::Tuple;

// Attributes come in any order; what was missing shows in these.
struct Parsing {
  Session session;
  std::uint8_t family = 0;
  bool original = false, reply = false, directional_zone = false;
  std::uint8_t reply_protocol = 0;
};

const std::uint8_t* payload(const nlattr* attribute) {
  return static_cast<const std::uint8_t*>(nla_data(attribute));
}

template <typename T>
bool read(const nlattr* attribute, T& out) {
  if (nla_len(attribute) < static_cast<int>(sizeof(T))) return false;
  out = load_be<T>(payload(attribute));
  return true;
}

bool read_address(const nlattr* attribute, std::size_t size, dataplane::Address& out) {
  if (nla_len(attribute) < static_cast<int>(size)) return false;
  std::memcpy(out.bytes.data(), payload(attribute), size);
  return true;
}

// Calls visit(attribute) for each attribute of a region; false when one is broken or refused.
template <typename Visit>
bool for_each(const nlattr* first, int length, Visit visit) {
  int left = length;
  const nlattr* at = first;
  while (nla_ok(at, left)) {
    if (!visit(at)) return false;
    at = nla_next(at, &left);
  }
  return left < static_cast<int>(sizeof(nlattr));
}

template <typename Visit>
bool for_each_nested(const nlattr* parent, Visit visit) {
  return for_each(static_cast<const nlattr*>(nla_data(parent)), nla_len(parent), visit);
}

bool parse_addresses(const nlattr* nest, bool ipv6, Tuple& tuple) {
  bool src = false, dst = false;
  const bool sound = for_each_nested(nest, [&](const nlattr* a) {
    switch (nla_type(a)) {
      case CTA_IP_V4_SRC:
        return ipv6 || (src = read_address(a, 4, tuple.src));
      case CTA_IP_V4_DST:
        return ipv6 || (dst = read_address(a, 4, tuple.dst));
      case CTA_IP_V6_SRC:
        return !ipv6 || (src = read_address(a, 16, tuple.src));
      case CTA_IP_V6_DST:
        return !ipv6 || (dst = read_address(a, 16, tuple.dst));
      default:
        return true;
    }
  });
  return sound && src && dst;
}

bool parse_ports(const nlattr* nest, std::uint8_t& protocol, Tuple& tuple) {
  bool numbered = false;
  std::uint8_t type = 0, code = 0;
  bool icmp = false;
  const bool sound = for_each_nested(nest, [&](const nlattr* a) {
    switch (nla_type(a)) {
      case CTA_PROTO_NUM:
        return numbered = read(a, protocol);
      case CTA_PROTO_SRC_PORT:
      case CTA_PROTO_ICMP_ID:
      case CTA_PROTO_ICMPV6_ID:
        return read(a, tuple.src_port);
      case CTA_PROTO_DST_PORT:
        return read(a, tuple.dst_port);
      case CTA_PROTO_ICMP_TYPE:
      case CTA_PROTO_ICMPV6_TYPE:
        icmp = true;
        return read(a, type);
      case CTA_PROTO_ICMP_CODE:
      case CTA_PROTO_ICMPV6_CODE:
        return read(a, code);
      default:
        return true;
    }
  });
  if (icmp) tuple.dst_port = static_cast<std::uint16_t>(type << 8 | code);
  return sound && numbered;
}

bool parse_tuple(const nlattr* nest, Parsing& p, std::uint8_t& protocol, Tuple& tuple) {
  bool addresses = false, ports = false;
  const bool sound = for_each_nested(nest, [&](const nlattr* a) {
    switch (nla_type(a)) {
      case CTA_TUPLE_IP:
        return addresses = parse_addresses(a, p.session.key.ipv6, tuple);
      case CTA_TUPLE_PROTO:
        return ports = parse_ports(a, protocol, tuple);
      case CTA_TUPLE_ZONE:
        p.directional_zone = true;
        return true;
      default:
        return true;
    }
  });
  return sound && addresses && ports;
}

bool parse_flags(const nlattr* a, std::uint8_t& flags) {
  nf_ct_tcp_flags value;
  if (nla_len(a) < static_cast<int>(sizeof value)) return false;
  std::memcpy(&value, nla_data(a), sizeof value);
  flags = value.flags & kReplicatedTcpFlags;
  return true;
}

bool parse_tcp(const nlattr* nest, dataplane::SessionState& state) {
  return for_each_nested(nest, [&](const nlattr* a) {
    switch (nla_type(a)) {
      case CTA_PROTOINFO_TCP_STATE:
        return read(a, state.tcp_state);
      case CTA_PROTOINFO_TCP_WSCALE_ORIGINAL:
        return read(a, state.tcp_wscale_original);
      case CTA_PROTOINFO_TCP_WSCALE_REPLY:
        return read(a, state.tcp_wscale_reply);
      case CTA_PROTOINFO_TCP_FLAGS_ORIGINAL:
        return parse_flags(a, state.tcp_flags_original);
      case CTA_PROTOINFO_TCP_FLAGS_REPLY:
        return parse_flags(a, state.tcp_flags_reply);
      default:
        return true;
    }
  });
}

bool parse_protocol_info(const nlattr* nest, dataplane::SessionState& state) {
  return for_each_nested(nest, [&](const nlattr* a) {
    return nla_type(a) != CTA_PROTOINFO_TCP || parse_tcp(a, state);
  });
}

bool parse_attribute(const nlattr* a, Parsing& p) {
  Session& s = p.session;
  switch (nla_type(a)) {
    case CTA_TUPLE_ORIG:
      return p.original = parse_tuple(a, p, s.key.protocol, s.key.original);
    case CTA_TUPLE_REPLY:
      return p.reply = parse_tuple(a, p, p.reply_protocol, s.state.reply);
    case CTA_STATUS: {
      std::uint32_t status = 0;
      if (!read(a, status)) return false;
      s.state.status = status & dataplane::kCarriedStatus;
      return true;
    }
    case CTA_TIMEOUT:
      return read(a, s.state.timeout_s);
    case CTA_MARK:
      return read(a, s.state.mark);
    case CTA_ZONE:
      return read(a, s.key.zone);
    case CTA_PROTOINFO:
      return parse_protocol_info(a, s.state);
    default:
      return true;
  }
}

}  // namespace

ParsedKind parse_message(const void* nlmsg, std::size_t size, Session& out) {
  nlmsghdr header;
  if (size < sizeof header) return ParsedKind::malformed;
  std::memcpy(&header, nlmsg, sizeof header);
  if (header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > size) return ParsedKind::malformed;
  if (NFNL_SUBSYS_ID(header.nlmsg_type) != NFNL_SUBSYS_CTNETLINK) return ParsedKind::ignored;
  const auto kind = NFNL_MSG_TYPE(header.nlmsg_type);
  if (kind != IPCTNL_MSG_CT_NEW && kind != IPCTNL_MSG_CT_DELETE) return ParsedKind::ignored;
  constexpr std::uint32_t kFixed = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(nfgenmsg));
  if (header.nlmsg_len < kFixed) return ParsedKind::malformed;

  const auto* bytes = static_cast<const std::uint8_t*>(nlmsg);
  Parsing p;
  p.family = bytes[NLMSG_HDRLEN];
  if (p.family != AF_INET && p.family != AF_INET6) return ParsedKind::unsupported;
  p.session.key.ipv6 = p.family == AF_INET6;
  const auto* first = static_cast<const nlattr*>(static_cast<const void*>(bytes + kFixed));
  const int length = static_cast<int>(header.nlmsg_len - kFixed);
  if (!for_each(first, length, [&](const nlattr* a) { return parse_attribute(a, p); }))
    return ParsedKind::malformed;
  if (!p.original || !p.reply || p.session.key.protocol != p.reply_protocol)
    return ParsedKind::malformed;

  if (p.directional_zone || !is_replicated_protocol(p.session.key.protocol))
    return ParsedKind::unsupported;
  out = p.session;
  return kind == IPCTNL_MSG_CT_NEW ? ParsedKind::upsert : ParsedKind::destroy;
}

}  // namespace hotpair::conntrack
