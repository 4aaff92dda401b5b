// The records of most sessions, written from and read into compact sessions without making whole
// ones of them. The bytes are those of delta_wire.hpp's encode_session() and decode_record(). All
// inline: these are the inner loops of both ends.
#pragma once

#include <array>
#include <cstring>

#include "dataplane/core/compact_session.hpp"
#include "dataplane/core/delta_wire.hpp"
#include "dataplane/core/record_parts.hpp"
#include "dataplane/core/session_key.hpp"

namespace hotpair::dataplane {

struct CompactRecord {
  RecordKind kind = RecordKind::create;
  std::uint32_t id = 0;
  // create: all, when nothing stands beside it; update: what an update carries.
  CompactSession session;
};

enum class Decoded : std::uint8_t { malformed, done, whole };

namespace compact {

using namespace record;

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
  // The high `size` bytes of it; what follows them is written over too.
  void high_bytes(std::uint64_t word, std::size_t size) {
    store_be<std::uint64_t>(at_, word);
    at_ += size;
  }
  std::size_t size() const { return static_cast<std::size_t>(at_ - begin_); }
  std::size_t room_before(const std::uint8_t* end) const {
    return static_cast<std::size_t>(end - at_);
  }

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
  std::uint64_t ahead() const { return load_be<std::uint64_t>(at_); }  // the next eight bytes
  void skip(std::size_t bytes) { at_ += bytes; }
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

// The TCP flags of both directions, as bits of changing_bits().
constexpr std::uint32_t kWideBits = (0xffu & ~unsigned{kOrdinaryFlags}) * 0x010100u;
inline bool wide(const UpdatedPart& part) {
  return (part.bits & kWideBits) != 0;
}
// narrow_flags() of both at once.
inline std::uint32_t narrow_flags(const UpdatedPart& part) {
  const std::uint32_t flags = part.bits >> 8;
  const std::uint32_t nibbles = (flags & 0x0707u) | (flags >> 2 & 0x0808u);
  return (nibbles << 4 | nibbles >> 8) & 0xffu;
}

inline void put_changing(Pen& pen, bool tcp, const UpdatedPart& part) {
  pen.u8(part.status_and_state());
  if (tcp) put_flags(pen, part.flags_original(), part.flags_reply());
  put_timeout(pen, part.timeout_s);
}

inline void put_create(Pen& pen, std::uint32_t id, const CompactSession& s) {
  // All of it taken out before anything is written: what is written could be part of the session,
  // as far as a compiler can tell.
  const UpdatedPart changing(s);
  const std::uint32_t src = s.src, dst = s.dst, mark = s.mark;
  const unsigned src_port = s.src_port, dst_port = s.dst_port, zone = s.zone,
                 wscales = s.tcp_wscales;
  const std::uint8_t protocol = s.protocol;
  const bool tcp = protocol == kProtocolTcp, udp = protocol == kProtocolUdp;
  const unsigned code = tcp ? kCodeTcp : udp ? kCodeUdp : kCodeOther;
  const bool extras = (mark | zone) != 0;
  pen.u8(static_cast<std::uint8_t>(1u << kKindShift | code | (wide(changing) ? kWideFlags : 0u) |
                                   (extras ? kExtras : 0u)));
  pen.u32(id);
  if (!tcp && !udp) pen.u8(protocol);
  pen.u32(src);
  pen.u32(dst);
  pen.u32(src_port << 16 | dst_port);
  if (extras) {
    pen.u8(static_cast<std::uint8_t>((mark ? 1u : 0u) | (zone ? 2u : 0u)));
    if (mark) pen.u32(mark);
    if (zone) pen.u16(static_cast<std::uint16_t>(zone));
  }
  if (tcp) pen.u8(static_cast<std::uint8_t>(wscales));
  put_changing(pen, tcp, changing);
}

inline unsigned update_code(bool tcp, const UpdatedPart& part) {
  if (tcp) return kCodeTcp;
  return (part.bits & 0x0fu) == 0 ? kCodeUdp : kCodeOther;
}

// Most updates are of one shape, and six or seven bytes, of TCP with flags: so they are written
// and read as one word.
//
//   63 tag    55 id                       31 status  23 flags (TCP)  15 timeout's code     7
constexpr std::uint8_t kPlainUpdate = 2u << kKindShift | kShortId;  // and the protocol's code
constexpr std::size_t plain_size(bool tcp) {
  return tcp ? 7 : 6;
}
// What follows the id, in the low three bytes.
inline std::uint32_t plain_tail(bool tcp, const UpdatedPart& part, std::uint8_t timeout) {
  const std::uint32_t status = (part.bits & 0xffu) << 16;
  if (!tcp) return status | std::uint32_t{timeout} << 8;
  return status | narrow_flags(part) << 8 | timeout;
}

inline void put_update(Pen& pen, std::uint32_t id, bool tcp, const UpdatedPart& part) {
  const std::uint8_t timeout = timeout_code(part.timeout_s);
  const unsigned code = update_code(tcp, part);
  if (id < kShortIds && !wide(part) && timeout < kTimeouts.size()) {
    const std::uint64_t head = std::uint64_t{kPlainUpdate | code} << 24 | id;
    return pen.high_bytes(head << 32 | std::uint64_t{plain_tail(tcp, part, timeout)} << 8,
                          plain_size(tcp));
  }
  pen.u8(static_cast<std::uint8_t>(2u << kKindShift | id_bit(id) | code |
                                   (wide(part) ? kWideFlags : 0u)));
  put_id(pen, id);
  put_changing(pen, tcp, part);
}
inline void put_update(Pen& pen, std::uint32_t id, const CompactSession& s) {
  put_update(pen, id, s.protocol == kProtocolTcp, UpdatedPart(s));
}

// What does not fit must not leave half a record behind.
std::size_t write_near_end(RecordKind kind, std::uint32_t id, const CompactSession& session,
                           MutableBytes out);

inline std::size_t write(RecordKind kind, std::uint32_t id, const CompactSession& s,
                         std::uint8_t* out) {
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
[[gnu::always_inline]] inline bool get_changing(Reader& in, CompactSession& s, bool tcp,
                                                bool wide) {
  s.status_and_state = in.u8();
  if (tcp ? !get_flags(in, wide, s.tcp_flags_original, s.tcp_flags_reply) : wide) return false;
  return get_timeout(in, s.timeout_s) && (tcp || (s.status_and_state & 0x0f) == 0);
}

template <typename Reader>
[[gnu::always_inline]] inline bool get_create(Reader& in, std::uint8_t tag, CompactRecord& out) {
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
[[gnu::always_inline]] inline bool get_update(Reader& in, std::uint8_t tag, CompactRecord& out) {
  return get_id(in, (tag & kShortId) != 0, out.id) &&
         get_changing(in, out.session, out.session.protocol == kProtocolTcp,
                      (tag & kWideFlags) != 0);
}

// True, and it is read, when the next record is a plain update.
[[gnu::always_inline]] inline bool read_plain_update(Eye& eye, CompactRecord& out) {
  const std::uint64_t word = eye.ahead();
  const unsigned tag = static_cast<unsigned>(word >> 56);
  if ((tag & ~unsigned{kCodeUdp}) != kPlainUpdate) return false;
  const bool tcp = tag == (kPlainUpdate | kCodeTcp);
  const auto tail =
      static_cast<std::uint32_t>(word >> (tcp ? 8 : 16)) & (tcp ? 0xffffffu : 0xffffu);
  const unsigned timeout = tail & 0xff;
  const std::uint32_t status = static_cast<std::uint32_t>(word >> 24) & 0xff;
  if (timeout >= kTimeouts.size() || (!tcp && (status & 0x0f) != 0)) return false;
  // flags_of() both nibbles, each into a byte of its own.
  const std::uint32_t narrow = tcp ? tail >> 8 & 0xff : 0;
  const std::uint32_t nibbles = narrow >> 4 | (narrow & 0x0fu) << 8;
  const std::uint32_t flags = (nibbles & 0x0707u) | (nibbles & 0x0808u) << 2;
  out.kind = RecordKind::update;
  out.id = static_cast<std::uint32_t>(word >> 32) & (kShortIds - 1);
  CompactSession& s = out.session;
  s.protocol = tcp ? kProtocolTcp : kProtocolUdp;
  set_changing_bits(s, status | flags << 8);
  s.timeout_s = kTimeouts[timeout];
  eye.skip(plain_size(tcp));
  return true;
}

template <typename Reader>
[[gnu::always_inline]] inline Decoded read(Reader& in, CompactRecord& out) {
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

Decoded read_near_end(ByteReader& in, CompactRecord& out);

}  // namespace compact

// A create of a session with nothing beside it, an update or a remove of any. Bytes written; 0 when
// it does not fit.
inline std::size_t encode_compact(RecordKind kind, std::uint32_t id, const CompactSession& session,
                                  MutableBytes out) {
  if (out.size() >= compact::kMost) return compact::write(kind, id, session, out.data());
  return compact::write_near_end(kind, id, session, out);
}

// whole: nothing was read, it is for decode_record().
inline Decoded decode_compact(ByteReader& in, CompactRecord& out) {
  if (in.remaining() < compact::kMost) return compact::read_near_end(in, out);
  compact::Eye eye(in.take(0).data());
  const Decoded decoded =
      compact::read_plain_update(eye, out) ? Decoded::done : compact::read(eye, out);
  if (decoded == Decoded::done) in.skip(eye.size());
  return decoded;
}

}  // namespace hotpair::dataplane
