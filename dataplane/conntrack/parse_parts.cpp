// Attributes: linux/netfilter/nfnetlink_conntrack.h.
#include "dataplane/conntrack/parse_parts.hpp"

#include <cstring>

#include <linux/netfilter/nfnetlink_conntrack.h>

#include "dataplane/conntrack/attributes.hpp"

namespace hotpair::conntrack {

namespace {

using dataplane::Extras;
using dataplane::Tuple;

bool parse_addresses(const nlattr* nest, bool ipv6, Tuple& tuple) {
  bool src = false, dst = false;
  const bool sound = for_each_nested(nest, [&](const nlattr* a) {
    switch (type_of(a)) {
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
    switch (type_of(a)) {
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

}  // namespace

bool parse_tuple(const nlattr* nest, bool ipv6, ParsedTuple& out) {
  bool addresses = false, ports = false;
  const bool sound = for_each_nested(nest, [&](const nlattr* a) {
    switch (type_of(a)) {
      case CTA_TUPLE_IP:
        return addresses = parse_addresses(a, ipv6, out.tuple);
      case CTA_TUPLE_PROTO:
        return ports = parse_ports(a, out.protocol, out.tuple);
      case CTA_TUPLE_ZONE:
        return read(a, out.zone.emplace());
      default:
        return true;
    }
  });
  return sound && addresses && ports;
}

bool parse_helper(const nlattr* nest, Extras& out) {
  out.add(Extras::kHelper);
  bool named = false;
  const bool sound = for_each_nested(nest, [&](const nlattr* a) {
    return type_of(a) != CTA_HELP_NAME || (named = out.helper.assign(read_text(a)));
  });
  return sound && named;
}

bool parse_labels(const nlattr* attribute, Extras& out) {
  if (size_of(attribute) != static_cast<int>(out.labels.size())) return false;
  out.add(Extras::kLabels);
  std::memcpy(out.labels.data(), payload(attribute), out.labels.size());
  return true;
}

bool parse_sequence(const nlattr* nest, std::size_t direction, Extras& out) {
  out.add(Extras::kSequence);
  dataplane::SequenceAdjustment& adjustment = out.sequence[direction];
  return for_each_nested(nest, [&](const nlattr* a) {
    switch (type_of(a)) {
      case CTA_SEQADJ_CORRECTION_POS:
        return read(a, adjustment.position);
      case CTA_SEQADJ_OFFSET_BEFORE:
        return read(a, adjustment.before);
      case CTA_SEQADJ_OFFSET_AFTER:
        return read(a, adjustment.after);
      default:
        return true;
    }
  });
}

bool parse_synproxy(const nlattr* nest, dataplane::SynproxyState& out) {
  return for_each_nested(nest, [&](const nlattr* a) {
    switch (type_of(a)) {
      case CTA_SYNPROXY_ISN:
        return read(a, out.isn);
      case CTA_SYNPROXY_ITS:
        return read(a, out.its);
      case CTA_SYNPROXY_TSOFF:
        return read(a, out.timestamp_offset);
      default:
        return true;
    }
  });
}

bool parse_sctp(const nlattr* nest, std::uint8_t& state, Extras& out) {
  bool tags[2] = {};
  const bool sound = for_each_nested(nest, [&](const nlattr* a) {
    switch (type_of(a)) {
      case CTA_PROTOINFO_SCTP_STATE:
        return read(a, state);
      case CTA_PROTOINFO_SCTP_VTAG_ORIGINAL:
        return tags[0] = read(a, out.sctp_tags[0]);
      case CTA_PROTOINFO_SCTP_VTAG_REPLY:
        return tags[1] = read(a, out.sctp_tags[1]);
      default:
        return true;
    }
  });
  if (tags[0] && tags[1]) out.add(Extras::kSctp);  // the event of an end has the state alone
  return sound;
}

bool parse_dccp(const nlattr* nest, std::uint8_t& state, Extras& out) {
  out.add(Extras::kDccp);
  return for_each_nested(nest, [&](const nlattr* a) {
    switch (type_of(a)) {
      case CTA_PROTOINFO_DCCP_STATE:
        return read(a, state);
      case CTA_PROTOINFO_DCCP_ROLE:
        return read(a, out.dccp_role);
      case CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ:
        return read(a, out.dccp_handshake);
      default:
        return true;
    }
  });
}

}  // namespace hotpair::conntrack
