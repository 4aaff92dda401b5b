#include "dataplane/core/compact_record.hpp"

#include <array>
#include <cstring>

#include "dataplane/core/session_key.hpp"

namespace hotpair::dataplane {
namespace {

// delta_record.cpp and WIRE.md: kind, protocol code, long timeout, extras.
constexpr unsigned kKindShift = 6;
constexpr std::uint8_t kRestMask = 0x3f, kProtocolMask = 0x0c, kCodeTcp = 0x00, kCodeUdp = 0x04,
                       kCodeOther = 0x08, kLongTimeout = 0x02, kExtras = 0x01;
constexpr std::size_t kMost = 32;  // bytes of any record written here

// Stores without asking for room: who uses it has made sure of kMost.
class Pen {
 public:
  explicit Pen(std::uint8_t* at) : begin_(at), at_(at) {}
  template <typename T>
  void put(T value) {
    store_be<T>(at_, value);
    at_ += sizeof(T);
  }
  std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
  std::uint8_t* begin_;
  std::uint8_t* at_;
};

void put_changing(Pen& pen, const CompactSession& s, bool tcp) {
  pen.put(s.status_and_state);
  if (tcp) {
    pen.put(s.tcp_flags_original);
    pen.put(s.tcp_flags_reply);
  }
  if (s.timeout_s > 0xffff)
    pen.put(s.timeout_s);
  else
    pen.put(static_cast<std::uint16_t>(s.timeout_s));
}

void put_create(Pen& pen, std::uint32_t id, const CompactSession& s) {
  const bool tcp = s.protocol == kProtocolTcp, udp = s.protocol == kProtocolUdp;
  const unsigned code = tcp ? kCodeTcp : udp ? kCodeUdp : kCodeOther;
  const bool extras = s.mark != 0 || s.zone != 0;
  pen.put(static_cast<std::uint8_t>(1u << kKindShift | code |
                                    (s.timeout_s > 0xffff ? kLongTimeout : 0u) |
                                    (extras ? kExtras : 0u)));
  pen.put(id);
  if (!tcp && !udp) pen.put(s.protocol);
  pen.put(s.src);
  pen.put(s.dst);
  pen.put(s.src_port);
  pen.put(s.dst_port);
  if (extras) {
    pen.put(static_cast<std::uint8_t>((s.mark ? 1u : 0u) | (s.zone ? 2u : 0u)));
    if (s.mark) pen.put(s.mark);
    if (s.zone) pen.put(s.zone);
  }
  if (tcp) pen.put(s.tcp_wscales);
  put_changing(pen, s, tcp);
}

void put_update(Pen& pen, std::uint32_t id, const CompactSession& s) {
  const bool tcp = s.protocol == kProtocolTcp;
  const unsigned code = tcp ? kCodeTcp : (s.status_and_state & 0x0fu) == 0 ? kCodeUdp : kCodeOther;
  pen.put(static_cast<std::uint8_t>(2u << kKindShift | code |
                                    (s.timeout_s > 0xffff ? kLongTimeout : 0u)));
  pen.put(id);
  put_changing(pen, s, tcp);
}

std::size_t write(RecordKind kind, std::uint32_t id, const CompactSession& s, std::uint8_t* out) {
  Pen pen(out);
  if (kind == RecordKind::create) {
    put_create(pen, id, s);
  } else if (kind == RecordKind::update) {
    put_update(pen, id, s);
  } else {
    pen.put(static_cast<std::uint8_t>(3u << kKindShift));
    pen.put(id);
  }
  return pen.size();
}

void get_changing(ByteReader& in, CompactSession& s, bool tcp, bool long_timeout) {
  s.status_and_state = in.u8();
  if (tcp) {
    s.tcp_flags_original = in.u8();
    s.tcp_flags_reply = in.u8();
  }
  s.timeout_s = long_timeout ? in.u32() : in.u16();
}

bool well_formed(const CompactSession& s, bool tcp, bool long_timeout) {
  return (tcp || (s.status_and_state & 0x0f) == 0) && long_timeout == (s.timeout_s > 0xffff);
}

}  // namespace

std::size_t encode_compact(RecordKind kind, std::uint32_t id, const CompactSession& session,
                           MutableBytes out) {
  if (out.size() >= kMost) return write(kind, id, session, out.data());
  // Near the end of a frame, what does not fit must not leave half a record behind.
  std::array<std::uint8_t, kMost> scratch;
  const std::size_t size = write(kind, id, session, scratch.data());
  if (size > out.size()) return 0;
  std::memcpy(out.data(), scratch.data(), size);
  return size;
}

Decoded decode_compact(ByteReader& in, CompactRecord& out) {
  ByteReader ahead = in;
  const std::uint8_t tag = ahead.u8();
  out.kind = static_cast<RecordKind>(tag >> kKindShift);
  const bool tcp = (tag & kProtocolMask) == kCodeTcp, long_timeout = (tag & kLongTimeout) != 0;
  // TCP and UDP over IPv4, without NAT and extras; updates of both.
  const bool common = (tag & kRestMask & ~(kLongTimeout | kCodeUdp)) == 0;
  if (out.kind == RecordKind::sweep || !common) return Decoded::whole;
  out.id = ahead.u32();
  out.session = CompactSession{};
  CompactSession& s = out.session;
  s.protocol = tcp ? kProtocolTcp : kProtocolUdp;
  if (out.kind == RecordKind::create) {
    s.src = ahead.u32();
    s.dst = ahead.u32();
    s.src_port = ahead.u16();
    s.dst_port = ahead.u16();
    if (tcp) s.tcp_wscales = ahead.u8();
  }
  if (out.kind != RecordKind::remove)
    get_changing(ahead, s, tcp, long_timeout);
  else if ((tag & kRestMask) != 0)
    return Decoded::malformed;
  if (ahead.failed() || !(out.kind == RecordKind::remove || well_formed(s, tcp, long_timeout)))
    return Decoded::malformed;
  in = ahead;
  return Decoded::done;
}

}  // namespace hotpair::dataplane
