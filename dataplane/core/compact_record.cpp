#include "dataplane/core/compact_record.hpp"

#include <array>
#include <cstring>

#include "dataplane/core/record_parts.hpp"
#include "dataplane/core/session_key.hpp"

namespace hotpair::dataplane {

using namespace record;

namespace {

// Bytes of any record written here: tag, id, protocol, addresses and ports, which extras, mark and
// zone, window scales, status and state, flags, timeout.
constexpr std::size_t kMost = 1 + 4 + 1 + 12 + 1 + 6 + 1 + 1 + 2 + 5;

// Stores without asking for room: who uses it has made sure of kMost.
class Pen {
 public:
  explicit Pen(std::uint8_t* at) : begin_(at), at_(at) {}
  void u8(std::uint8_t value) { *at_++ = value; }
  void u16(std::uint16_t value) { put(value); }
  void u32(std::uint32_t value) { put(value); }
  std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
  template <typename T>
  void put(T value) {
    store_be<T>(at_, value);
    at_ += sizeof(T);
  }

  std::uint8_t* begin_;
  std::uint8_t* at_;
};

// The same for reading.
class Eye {
 public:
  explicit Eye(const std::uint8_t* at) : begin_(at), at_(at) {}
  std::uint8_t u8() { return *at_++; }
  std::uint16_t u16() { return get<std::uint16_t>(); }
  std::uint32_t u32() { return get<std::uint32_t>(); }
  std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }

 private:
  template <typename T>
  T get() {
    const T value = load_be<T>(at_);
    at_ += sizeof(T);
    return value;
  }

  const std::uint8_t* begin_;
  const std::uint8_t* at_;
};

bool has_wide_flags(const CompactSession& s) {
  return wide_flags(s.tcp_flags_original, s.tcp_flags_reply);  // of TCP: the others have none
}

void put_changing(Pen& pen, const CompactSession& s) {
  pen.u8(s.status_and_state);
  if (s.protocol == kProtocolTcp) put_flags(pen, s.tcp_flags_original, s.tcp_flags_reply);
  put_timeout(pen, s.timeout_s);
}

void put_create(Pen& pen, std::uint32_t id, const CompactSession& s) {
  const bool tcp = s.protocol == kProtocolTcp, udp = s.protocol == kProtocolUdp;
  const unsigned code = tcp ? kCodeTcp : udp ? kCodeUdp : kCodeOther;
  const bool extras = s.mark != 0 || s.zone != 0;
  pen.u8(static_cast<std::uint8_t>(1u << kKindShift | code | (has_wide_flags(s) ? kWideFlags : 0u) |
                                   (extras ? kExtras : 0u)));
  pen.u32(id);
  if (!tcp && !udp) pen.u8(s.protocol);
  pen.u32(s.src);
  pen.u32(s.dst);
  pen.u16(s.src_port);
  pen.u16(s.dst_port);
  if (extras) {
    pen.u8(static_cast<std::uint8_t>((s.mark ? 1u : 0u) | (s.zone ? 2u : 0u)));
    if (s.mark) pen.u32(s.mark);
    if (s.zone) pen.u16(s.zone);
  }
  if (tcp) pen.u8(s.tcp_wscales);
  put_changing(pen, s);
}

unsigned update_code(const CompactSession& s) {
  if (s.protocol == kProtocolTcp) return kCodeTcp;
  return (s.status_and_state & 0x0fu) == 0 ? kCodeUdp : kCodeOther;
}

void put_update(Pen& pen, std::uint32_t id, const CompactSession& s) {
  pen.u8(static_cast<std::uint8_t>(2u << kKindShift | id_bit(id) | update_code(s) |
                                   (has_wide_flags(s) ? kWideFlags : 0u)));
  put_id(pen, id);
  put_changing(pen, s);
}

std::size_t write(RecordKind kind, std::uint32_t id, const CompactSession& s, std::uint8_t* out) {
  Pen pen(out);
  if (kind == RecordKind::create) {
    put_create(pen, id, s);
  } else if (kind == RecordKind::update) {
    put_update(pen, id, s);
  } else {
    pen.u8(static_cast<std::uint8_t>(3u << kKindShift | id_bit(id)));
    put_id(pen, id);
  }
  return pen.size();
}

template <typename Reader>
bool get_changing(Reader& in, CompactSession& s, bool tcp, bool wide) {
  s.status_and_state = in.u8();
  if (tcp ? !get_flags(in, wide, s.tcp_flags_original, s.tcp_flags_reply) : wide) return false;
  return get_timeout(in, s.timeout_s) && (tcp || (s.status_and_state & 0x0f) == 0);
}

template <typename Reader>
bool get_create(Reader& in, std::uint8_t tag, CompactRecord& out) {
  CompactSession& s = out.session;
  const bool tcp = s.protocol == kProtocolTcp;
  out.id = in.u32();
  s.src = in.u32();
  s.dst = in.u32();
  s.src_port = in.u16();
  s.dst_port = in.u16();
  if (tcp) s.tcp_wscales = in.u8();
  return get_changing(in, s, tcp, (tag & kWideFlags) != 0);
}

template <typename Reader>
bool get_update(Reader& in, std::uint8_t tag, CompactRecord& out) {
  return get_id(in, (tag & kShortId) != 0, out.id) &&
         get_changing(in, out.session, out.session.protocol == kProtocolTcp,
                      (tag & kWideFlags) != 0);
}

template <typename Reader>
Decoded read(Reader& in, CompactRecord& out) {
  const std::uint8_t tag = in.u8();
  out.kind = static_cast<RecordKind>(tag >> kKindShift);
  // Read here: TCP and UDP over IPv4, without NAT and extras; updates of both; every delete.
  const std::uint8_t common =
      out.kind == RecordKind::create ? kWideFlags | kCodeUdp : kWideFlags | kCodeUdp | kShortId;
  if (out.kind == RecordKind::sweep || (tag & kRest & ~common) != 0) return Decoded::whole;
  out.session = CompactSession{};
  out.session.protocol = (tag & kProtocolMask) == kCodeTcp ? kProtocolTcp : kProtocolUdp;
  bool good = false;
  if (out.kind == RecordKind::create)
    good = get_create(in, tag, out);
  else if (out.kind == RecordKind::update)
    good = get_update(in, tag, out);
  else
    good = (tag & kRest & ~kShortId) == 0 && get_id(in, (tag & kShortId) != 0, out.id);
  return good ? Decoded::done : Decoded::malformed;
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
  if (in.remaining() >= kMost) {
    Eye eye(in.take(0).data());
    const Decoded decoded = read(eye, out);
    if (decoded == Decoded::done) in.skip(eye.size());
    return decoded;
  }
  ByteReader ahead = in;
  const Decoded decoded = read(ahead, out);
  if (decoded == Decoded::whole) return decoded;
  if (ahead.failed()) return Decoded::malformed;
  if (decoded == Decoded::done) in = ahead;
  return decoded;
}

}  // namespace hotpair::dataplane
