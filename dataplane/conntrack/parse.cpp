// ctnetlink messages into sessions, in place (attributes: linux/netfilter/nfnetlink_conntrack.h).
// What the kernel sends is checked like any other input: lengths, presence, families.
#include <cstring>
#include <optional>
#include <utility>

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>

#include "dataplane/conntrack/attributes.hpp"
#include "dataplane/conntrack/parse_parts.hpp"
#include "dataplane/conntrack/replicated.hpp"
#include "dataplane/conntrack/source.hpp"
#include "dataplane/core/session_key.hpp"

namespace hotpair::conntrack {

namespace {

using dataplane::Expectation;
using dataplane::Extras;
using dataplane::Session;
using dataplane::SessionKey;
using dataplane::SessionState;

// Attributes come in any order; what was missing shows in these.
struct Parsing {
  Session session;
  std::optional<Extras> extras_made;  // most messages make none
  bool original = false, reply = false, timed = false, offloaded = false;
  std::uint8_t reply_protocol = 0;
  std::optional<std::uint16_t> original_zone, reply_zone;

  Extras& extras() { return extras_made ? *extras_made : extras_made.emplace(); }
};

bool parse_flags(const nlattr* a, std::uint8_t& flags) {
  nf_ct_tcp_flags value;
  if (size_of(a) < static_cast<int>(sizeof value)) return false;
  std::memcpy(&value, payload(a), sizeof value);
  flags = value.flags & kReplicatedTcpFlags;
  return true;
}

bool parse_tcp(const nlattr* nest, SessionState& state) {
  return for_each_nested(nest, [&](const nlattr* a) {
    switch (type_of(a)) {
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

bool parse_protocol_info(const nlattr* nest, Parsing& p) {
  return for_each_nested(nest, [&](const nlattr* a) {
    switch (type_of(a)) {
      case CTA_PROTOINFO_TCP:
        return parse_tcp(a, p.session.state);
      case CTA_PROTOINFO_SCTP:
        return parse_sctp(a, p.session.state.tcp_state, p.extras());
      case CTA_PROTOINFO_DCCP:
        return parse_dccp(a, p.session.state.tcp_state, p.extras());
      default:
        return true;
    }
  });
}

bool parse_original(const nlattr* a, Parsing& p) {
  ParsedTuple parsed;
  if (!parse_tuple(a, p.session.key.ipv6, parsed)) return false;
  p.session.key.original = parsed.tuple;
  p.session.key.protocol = parsed.protocol;
  p.original_zone = parsed.zone;
  return p.original = true;
}
bool parse_reply(const nlattr* a, Parsing& p) {
  ParsedTuple parsed;
  if (!parse_tuple(a, p.session.key.ipv6, parsed)) return false;
  p.session.state.reply = parsed.tuple;
  p.reply_protocol = parsed.protocol;
  p.reply_zone = parsed.zone;
  return p.reply = true;
}
bool parse_master(const nlattr* a, Parsing& p) {
  ParsedTuple parsed;
  if (!parse_tuple(a, p.session.key.ipv6, parsed)) return false;
  p.extras().add(Extras::kMaster);
  p.extras().master = parsed.tuple;
  p.extras().master_protocol = parsed.protocol;
  return true;
}

bool parse_status(const nlattr* a, Parsing& p) {
  std::uint32_t status = 0;
  if (!read(a, status)) return false;
  p.session.state.status = status & dataplane::kCarriedStatus;
  p.offloaded = (status & IPS_OFFLOAD) != 0;
  return true;
}

// Every entry that ctnetlink made has room for synproxy's numbers, and is told with zeros.
bool parse_synproxy_if_any(const nlattr* a, Parsing& p) {
  dataplane::SynproxyState synproxy;
  if (!parse_synproxy(a, synproxy)) return false;
  if (synproxy == dataplane::SynproxyState{}) return true;
  p.extras().add(Extras::kSynproxy);
  p.extras().synproxy = synproxy;
  return true;
}

bool parse_attribute(const nlattr* a, Parsing& p) {
  SessionState& state = p.session.state;
  switch (type_of(a)) {
    case CTA_TUPLE_ORIG:
      return parse_original(a, p);
    case CTA_TUPLE_REPLY:
      return parse_reply(a, p);
    case CTA_TUPLE_MASTER:
      return parse_master(a, p);
    case CTA_STATUS:
      return parse_status(a, p);
    case CTA_TIMEOUT:
      return p.timed = read(a, state.timeout_s);
    case CTA_MARK:
      return read(a, state.mark);
    case CTA_ZONE:
      return read(a, p.session.key.zone);
    case CTA_PROTOINFO:
      return parse_protocol_info(a, p);
    case CTA_HELP:
      return parse_helper(a, p.extras());
    case CTA_LABELS:
      return parse_labels(a, p.extras());
    case CTA_SEQ_ADJ_ORIG:
      return parse_sequence(a, 0, p.extras());
    case CTA_SEQ_ADJ_REPLY:
      return parse_sequence(a, 1, p.extras());
    case CTA_SYNPROXY:
      return parse_synproxy_if_any(a, p);
    default:
      return true;
  }
}

// A zone of one direction counts there alone; the other direction is in the default zone, 0.
void settle_zones(Parsing& p) {
  if (!p.original_zone && !p.reply_zone) return;
  p.session.key.zone = p.original_zone.value_or(0);
  p.extras().add(Extras::kReplyZone);
  p.extras().reply_zone = p.reply_zone.value_or(0);
}

// Of an entry that a flowtable has taken over the kernel tells no timeout: it has none while it is
// there. What it is worth once it is an ordinary entry again:
constexpr std::uint32_t kTcpOffloadedSeconds = 432000, kOffloadedSeconds = 120;

struct Message {
  unsigned kind = 0;  // IPCTNL_MSG_*
  bool ipv6 = false;
  const nlattr* first = nullptr;
  int length = 0;
};

// The fixed part of a message of that subsystem.
ParsedKind open_message(const void* nlmsg, std::size_t size, unsigned subsystem, Message& out) {
  nlmsghdr header;
  if (size < sizeof header) return ParsedKind::malformed;
  std::memcpy(&header, nlmsg, sizeof header);
  if (header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > size) return ParsedKind::malformed;
  if (NFNL_SUBSYS_ID(header.nlmsg_type) != subsystem) return ParsedKind::ignored;
  out.kind = NFNL_MSG_TYPE(header.nlmsg_type);
  static_assert(IPCTNL_MSG_CT_NEW == 0 && IPCTNL_MSG_EXP_NEW == 0 && IPCTNL_MSG_CT_DELETE == 2 &&
                IPCTNL_MSG_EXP_DELETE == 2);
  if (out.kind != IPCTNL_MSG_CT_NEW && out.kind != IPCTNL_MSG_CT_DELETE) return ParsedKind::ignored;
  constexpr std::uint32_t kFixed = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(nfgenmsg));
  if (header.nlmsg_len < kFixed) return ParsedKind::malformed;
  const auto* bytes = static_cast<const std::uint8_t*>(nlmsg);
  const std::uint8_t family = bytes[NLMSG_HDRLEN];
  if (family != AF_INET && family != AF_INET6) return ParsedKind::unsupported;
  out.ipv6 = family == AF_INET6;
  out.first = static_cast<const nlattr*>(static_cast<const void*>(bytes + kFixed));
  out.length = static_cast<int>(header.nlmsg_len - kFixed);
  return out.kind == IPCTNL_MSG_CT_NEW ? ParsedKind::upsert : ParsedKind::destroy;
}

}  // namespace

ParsedKind parse_message(const void* nlmsg, std::size_t size, Session& out) {
  Message message;
  const ParsedKind kind = open_message(nlmsg, size, NFNL_SUBSYS_CTNETLINK, message);
  if (kind != ParsedKind::upsert && kind != ParsedKind::destroy) return kind;
  Parsing p;
  p.session.key.ipv6 = message.ipv6;
  if (!for_each(message.first, message.length,
                [&](const nlattr* a) { return parse_attribute(a, p); }))
    return ParsedKind::malformed;
  SessionKey& key = p.session.key;
  if (!p.original || !p.reply || key.protocol != p.reply_protocol) return ParsedKind::malformed;
  settle_zones(p);
  if (p.offloaded && !p.timed)
    p.session.state.timeout_s =
        key.protocol == IPPROTO_TCP ? kTcpOffloadedSeconds : kOffloadedSeconds;
  if (p.extras_made)
    p.session.state.extras = dataplane::SharedExtras::of(std::move(*p.extras_made));
  out = std::move(p.session);
  return kind;
}

namespace {

struct ParsingExpectation {
  ParsedTuple master, tuple, mask, saved;
  std::uint32_t flags = 0, policy_class = 0, direction = 0, timeout_s = 0;
  bool has_master = false, has_tuple = false, has_mask = false, has_saved = false;
  dataplane::FunctionName function;
};

bool parse_saved(const nlattr* nest, bool ipv6, ParsingExpectation& p) {
  return for_each_nested(nest, [&](const nlattr* a) {
    switch (type_of(a)) {
      case CTA_EXPECT_NAT_DIR:
        return read(a, p.direction);
      case CTA_EXPECT_NAT_TUPLE:
        return p.has_saved = parse_tuple(a, ipv6, p.saved);
      default:
        return true;
    }
  });
}

bool parse_expectation_attribute(const nlattr* a, bool ipv6, ParsingExpectation& p) {
  switch (type_of(a)) {
    case CTA_EXPECT_MASTER:
      return p.has_master = parse_tuple(a, ipv6, p.master);
    case CTA_EXPECT_TUPLE:
      return p.has_tuple = parse_tuple(a, ipv6, p.tuple);
    case CTA_EXPECT_MASK:
      return p.has_mask = parse_tuple(a, ipv6, p.mask);
    case CTA_EXPECT_NAT:
      return parse_saved(a, ipv6, p);
    case CTA_EXPECT_TIMEOUT:
      return read(a, p.timeout_s);
    case CTA_EXPECT_FLAGS:
      return read(a, p.flags);
    case CTA_EXPECT_CLASS:
      return read(a, p.policy_class);
    case CTA_EXPECT_FN:
      return p.function.assign(read_text(a));
    default:
      return true;
  }
}

}  // namespace

ParsedKind parse_expectation(const void* nlmsg, std::size_t size, SessionKey& master,
                             Expectation& out) {
  Message message;
  const ParsedKind kind = open_message(nlmsg, size, NFNL_SUBSYS_CTNETLINK_EXP, message);
  if (kind != ParsedKind::upsert && kind != ParsedKind::destroy) return kind;
  ParsingExpectation p;
  const bool sound = for_each(message.first, message.length, [&](const nlattr* a) {
    return parse_expectation_attribute(a, message.ipv6, p);
  });
  if (!sound || !p.has_master || !p.has_tuple || !p.has_mask || p.flags > UINT8_MAX ||
      p.policy_class > UINT8_MAX)
    return ParsedKind::malformed;
  master = {
      .original = p.master.tuple, .zone = 0, .protocol = p.master.protocol, .ipv6 = message.ipv6};
  out = {.protocol = p.tuple.protocol,
         .tuple = p.tuple.tuple,
         .source_mask = p.mask.tuple.src,
         .source_port_mask = p.mask.tuple.src_port,
         .flags = static_cast<std::uint8_t>(p.flags),
         .policy_class = static_cast<std::uint8_t>(p.policy_class),
         .timeout_s = p.timeout_s,
         .translated = p.has_saved,
         .saved_direction = static_cast<std::uint8_t>(p.direction & 1),
         .saved_address = p.saved.tuple.src,
         .saved_port = p.saved.tuple.src_port,
         .function = p.function};
  return kind;
}

}  // namespace hotpair::conntrack
