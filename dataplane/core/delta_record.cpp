// The records of a data frame: WIRE.md, "Records".
#include <algorithm>

#include "dataplane/core/delta_wire.hpp"
#include "dataplane/core/extras_record.hpp"
#include "dataplane/core/record_parts.hpp"
#include "dataplane/core/session_key.hpp"

namespace hotpair::dataplane {

using namespace record;

namespace {

// Which parts of the reply tuple are not the original's reversed.
constexpr std::uint8_t kReplySrc = 1, kReplyDst = 2, kReplySrcPort = 4, kReplyDstPort = 8;
constexpr std::uint8_t kMark = 1, kZone = 2, kMore = 4;  // more: Extras::parts follow
constexpr std::size_t kIpv4Bytes = 4, kIpv6Bytes = 16;

std::uint8_t protocol_code(std::uint8_t protocol) {
  if (protocol == kProtocolTcp) return kCodeTcp;
  return protocol == kProtocolUdp ? kCodeUdp : kCodeOther;
}

// Four status bits and the TCP state in one byte.
std::uint8_t pack_status(const SessionState& s) {
  const unsigned status =
      ((s.status & kStatusSeenReply) ? 8u : 0u) | ((s.status & kStatusAssured) ? 4u : 0u) |
      ((s.status & kStatusSrcNat) ? 2u : 0u) | ((s.status & kStatusDstNat) ? 1u : 0u);
  return static_cast<std::uint8_t>((status << 4) | s.tcp_state);
}
void unpack_status(std::uint8_t byte, SessionState& s) {
  s.status = ((byte & 0x80) ? kStatusSeenReply : 0) | ((byte & 0x40) ? kStatusAssured : 0) |
             ((byte & 0x20) ? kStatusSrcNat : 0) | ((byte & 0x10) ? kStatusDstNat : 0);
  s.tcp_state = byte & 0x0f;
}

void put_address(ByteWriter& out, const Address& address, bool ipv6) {
  out.put(Bytes(address.bytes).first(ipv6 ? kIpv6Bytes : kIpv4Bytes));
}
void get_address(ByteReader& in, Address& address, bool ipv6) {
  const Bytes bytes = in.take(ipv6 ? kIpv6Bytes : kIpv4Bytes);
  std::copy(bytes.begin(), bytes.end(), address.bytes.begin());
}

std::uint8_t nat_parts(const Session& s) {
  const Tuple plain = reversed(s.key.original);
  const Tuple& reply = s.state.reply;
  return static_cast<std::uint8_t>((reply.src == plain.src ? 0u : kReplySrc) |
                                   (reply.dst == plain.dst ? 0u : kReplyDst) |
                                   (reply.src_port == plain.src_port ? 0u : kReplySrcPort) |
                                   (reply.dst_port == plain.dst_port ? 0u : kReplyDstPort));
}
void put_nat(ByteWriter& out, const Session& s, std::uint8_t parts) {
  out.u8(parts);
  if (parts & kReplySrc) put_address(out, s.state.reply.src, s.key.ipv6);
  if (parts & kReplyDst) put_address(out, s.state.reply.dst, s.key.ipv6);
  if (parts & kReplySrcPort) out.u16(s.state.reply.src_port);
  if (parts & kReplyDstPort) out.u16(s.state.reply.dst_port);
}
bool get_nat(ByteReader& in, Session& s) {
  const std::uint8_t parts = in.u8();
  if (parts & kReplySrc) get_address(in, s.state.reply.src, s.key.ipv6);
  if (parts & kReplyDst) get_address(in, s.state.reply.dst, s.key.ipv6);
  if (parts & kReplySrcPort) s.state.reply.src_port = in.u16();
  if (parts & kReplyDstPort) s.state.reply.dst_port = in.u16();
  return parts != 0 && parts == nat_parts(s);
}

std::uint8_t extras_of(const Session& s) {
  return static_cast<std::uint8_t>((s.state.mark ? kMark : 0u) | (s.key.zone ? kZone : 0u) |
                                   (s.state.extras ? kMore : 0u));
}
void put_extras(ByteWriter& out, const Session& s) {
  const std::uint8_t which = extras_of(s);
  out.u8(which);
  if (which & kMark) out.u32(s.state.mark);
  if (which & kZone) out.u16(s.key.zone);
  if (!(which & kMore)) return;
  out.u16(s.state.extras->parts);
  encode_extras(*s.state.extras, s.key.ipv6, out);
}
bool get_more(ByteReader& in, Session& s) {
  Extras extras;
  if (!decode_extras(in.u16(), s.key.ipv6, in, extras)) return false;
  if (normalised(extras, s.key) != extras) return false;
  s.state.extras = SharedExtras::of(std::move(extras));
  return true;
}
bool get_extras(ByteReader& in, Session& s) {
  const std::uint8_t which = in.u8();
  if (which & kMark) s.state.mark = in.u32();
  if (which & kZone) s.key.zone = in.u16();
  if ((which & kMore) && !get_more(in, s)) return false;
  return which != 0 && which == extras_of(s);
}

bool has_wide_flags(const Session& s) {
  return s.key.protocol == kProtocolTcp &&
         wide_flags(s.state.tcp_flags_original, s.state.tcp_flags_reply);
}

// What an update consists of and a create ends with.
void put_changing(ByteWriter& out, const SessionState& s, bool tcp) {
  out.u8(pack_status(s));
  if (tcp) put_flags(out, s.tcp_flags_original, s.tcp_flags_reply);
  put_timeout(out, s.timeout_s);
}
bool get_changing(ByteReader& in, SessionState& s, bool tcp, bool wide) {
  unpack_status(in.u8(), s);
  if (tcp ? !get_flags(in, wide, s.tcp_flags_original, s.tcp_flags_reply) : wide) return false;
  return get_timeout(in, s.timeout_s);
}

void put_create(ByteWriter& out, std::uint32_t id, const Session& s) {
  const std::uint8_t code = protocol_code(s.key.protocol), parts = nat_parts(s);
  const bool extras = s.state.mark != 0 || s.key.zone != 0 || s.state.extras;
  out.u8(static_cast<std::uint8_t>(
      (1u << kKindShift) | (s.key.ipv6 ? kIpv6 : 0u) | (parts ? kNat : 0u) | code |
      (has_wide_flags(s) ? kWideFlags : 0u) | (extras ? kExtras : 0u)));
  out.u32(id);
  if (code == kCodeOther) out.u8(s.key.protocol);
  put_address(out, s.key.original.src, s.key.ipv6);
  put_address(out, s.key.original.dst, s.key.ipv6);
  out.u16(s.key.original.src_port);
  out.u16(s.key.original.dst_port);
  if (parts) put_nat(out, s, parts);
  if (extras) put_extras(out, s);
  if (code == kCodeTcp)
    out.u8(
        static_cast<std::uint8_t>((s.state.tcp_wscale_original << 4) | s.state.tcp_wscale_reply));
  put_changing(out, s.state, code == kCodeTcp);
}

bool get_protocol(ByteReader& in, std::uint8_t code, SessionKey& key) {
  if (code == kCodeTcp || code == kCodeUdp) {
    key.protocol = code == kCodeTcp ? kProtocolTcp : kProtocolUdp;
    return true;
  }
  key.protocol = in.u8();
  return code == kCodeOther && key.protocol != kProtocolTcp && key.protocol != kProtocolUdp;
}

bool get_create(ByteReader& in, std::uint8_t tag, Record& r) {
  Session& s = r.session;
  s = Session{};
  r.id = in.u32();
  s.key.ipv6 = (tag & kIpv6) != 0;
  if (!get_protocol(in, tag & kProtocolMask, s.key)) return false;
  get_address(in, s.key.original.src, s.key.ipv6);
  get_address(in, s.key.original.dst, s.key.ipv6);
  s.key.original.src_port = in.u16();
  s.key.original.dst_port = in.u16();
  s.state.reply = reversed(s.key.original);
  if ((tag & kNat) && !get_nat(in, s)) return false;
  if ((tag & kExtras) && !get_extras(in, s)) return false;
  const bool tcp = s.key.protocol == kProtocolTcp;
  if (tcp) {
    const std::uint8_t scales = in.u8();
    s.state.tcp_wscale_original = scales >> 4;
    s.state.tcp_wscale_reply = scales & 0x0f;
  }
  return get_changing(in, s.state, tcp, (tag & kWideFlags) != 0) &&
         (has_state(s.key.protocol) || s.state.tcp_state == 0);
}

// Of the protocols an update tells only TCP's from those with and without a state.
std::uint8_t update_code(const Session& s) {
  if (s.key.protocol == kProtocolTcp) return kCodeTcp;
  return s.state.tcp_state == 0 ? kCodeUdp : kCodeOther;
}
std::uint8_t protocol_of_update(std::uint8_t code) {
  if (code == kCodeTcp) return kProtocolTcp;
  return code == kCodeUdp ? kProtocolUdp : kProtocolSctp;
}

void put_update(ByteWriter& out, std::uint32_t id, const Session& s) {
  const bool tcp = s.key.protocol == kProtocolTcp;
  out.u8(static_cast<std::uint8_t>((2u << kKindShift) | id_bit(id) | update_code(s) |
                                   (has_wide_flags(s) ? kWideFlags : 0u)));
  put_id(out, id);
  put_changing(out, s.state, tcp);
}
bool get_update(ByteReader& in, std::uint8_t tag, Record& r) {
  const std::uint8_t code = tag & kProtocolMask;
  if ((tag & (kNat | kExtras)) != 0 || code > kCodeOther) return false;
  r.session = Session{};
  r.session.key.protocol = protocol_of_update(code);
  if (!get_id(in, (tag & kShortId) != 0, r.id)) return false;
  return get_changing(in, r.session.state, code == kCodeTcp, (tag & kWideFlags) != 0) &&
         update_code(r.session) == code;
}

void put_remove(ByteWriter& out, std::uint32_t id) {
  out.u8(static_cast<std::uint8_t>(3u << kKindShift | id_bit(id)));
  put_id(out, id);
}
void put_sweep(ByteWriter& out, std::uint16_t bucket, std::uint64_t from) {
  out.u8(0);
  out.u16(bucket);
  out.u64(from);
}

// Near the end of a frame, what does not fit must not leave half a record behind.
template <typename Put>
std::size_t write_whole(MutableBytes out, std::size_t most, const Put& put) {
  if (out.size() >= most) {
    ByteWriter writer(out);
    put(writer);
    return writer.size();
  }
  std::array<std::uint8_t, kMaxRecord> scratch{};
  ByteWriter writer(scratch);
  put(writer);
  if (writer.size() > out.size()) return 0;
  std::copy_n(scratch.begin(), writer.size(), out.begin());
  return writer.size();
}

}  // namespace

std::size_t encode_session(RecordKind kind, std::uint32_t id, const Session& session,
                           MutableBytes out) {
  const std::size_t most = session.state.extras ? kMaxRecord : kMaxPlainRecord;
  return write_whole(out, most, [&](ByteWriter& writer) {
    if (kind == RecordKind::create)
      put_create(writer, id, session);
    else if (kind == RecordKind::update)
      put_update(writer, id, session);
    else
      put_remove(writer, id);
  });
}

std::size_t encode_record(const Record& record, MutableBytes out) {
  if (record.kind != RecordKind::sweep)
    return encode_session(record.kind, record.id, record.session, out);
  return write_whole(out, kMaxPlainRecord,
                     [&](ByteWriter& w) { put_sweep(w, record.bucket, record.from); });
}

bool decode_record(ByteReader& in, Record& out) {
  const std::uint8_t tag = in.u8();
  const auto kind = static_cast<RecordKind>(tag >> kKindShift);
  out.kind = kind;
  out.id = 0;
  out.bucket = 0;
  out.from = 0;
  bool good = true;
  if (kind == RecordKind::create) {
    good = get_create(in, tag, out);
  } else if (kind == RecordKind::update) {
    good = get_update(in, tag, out);
  } else if (kind == RecordKind::remove) {
    out.session = Session{};
    good = (tag & kRest & ~kShortId) == 0 && get_id(in, (tag & kShortId) != 0, out.id);
  } else {
    out.session = Session{};
    out.bucket = in.u16();
    out.from = in.u64();
    good = tag == 0 && (out.bucket < kBuckets || out.bucket == kAllBuckets);
  }
  return good && !in.failed();
}

}  // namespace hotpair::dataplane
