// The parts of a record that both codecs spell alike (WIRE.md, "Records"): the tag's bits, ids, TCP
// flags and timeouts in few bytes.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace hotpair::dataplane::record {

// The tag: kind in the two high bits, then what the record has.
constexpr unsigned kKindShift = 6;
constexpr std::uint8_t kRest = 0x3f;
constexpr std::uint8_t kIpv6 = 0x20, kNat = 0x10, kProtocolMask = 0x0c, kWideFlags = 0x02,
                       kExtras = 0x01;
constexpr std::uint8_t kShortId = 0x20;  // update, delete: the id has 24 bits
constexpr std::uint8_t kCodeTcp = 0x00, kCodeUdp = 0x04, kCodeOther = 0x08;
constexpr std::uint32_t kShortIds = 1u << 24;

// The kernel's default timeouts (nf_conntrack_proto_tcp.c, _udp.c, _sctp.c, _generic.c), most
// frequent first: a byte says which. Other values follow in 16 or 32 bits.
constexpr std::array<std::uint32_t, 12> kTimeouts = {432000, 120, 60, 30,  10,  300,
                                                     180,    600, 3,  210, 240, 86400};
constexpr std::uint8_t kTimeout16 = 0xfe, kTimeout32 = 0xff;

// A place in sixteen for each of them; the factor was found by trying.
constexpr std::size_t timeout_place(std::uint32_t seconds) {
  return seconds * 0x282ee0bdu >> 28;
}
constexpr std::array<std::uint8_t, 16> kTimeoutAt = [] {
  std::array<std::uint8_t, 16> codes{};
  for (std::uint8_t i = 0; i < kTimeouts.size(); ++i) codes[timeout_place(kTimeouts[i])] = i;
  return codes;
}();
static_assert(
    [] {
      for (std::uint8_t i = 0; i < kTimeouts.size(); ++i)
        if (kTimeoutAt[timeout_place(kTimeouts[i])] != i) return false;
      return true;
    }(),
    "no two share a place");

constexpr std::uint8_t timeout_code(std::uint32_t seconds) {
  const std::uint8_t code = kTimeoutAt[timeout_place(seconds)];
  if (kTimeouts[code] == seconds) return code;
  return seconds <= 0xffff ? kTimeout16 : kTimeout32;
}

// TCP flags of an ordinary connection in four bits: window scale, SACK, close begun, and that a
// maximum was seen. The others (kWideFlags) take a byte for each direction.
constexpr std::uint8_t kOrdinaryFlags = 0x27;
constexpr bool wide_flags(std::uint8_t original, std::uint8_t reply) {
  return ((original | reply) & ~kOrdinaryFlags) != 0;
}
constexpr unsigned nibble_of(std::uint8_t flags) {
  return (flags & 7u) | (flags >> 2 & 8u);
}
constexpr std::uint8_t flags_of(unsigned nibble) {
  return static_cast<std::uint8_t>((nibble & 7u) | (nibble & 8u) << 2);
}
constexpr std::uint8_t narrow_flags(std::uint8_t original, std::uint8_t reply) {
  return static_cast<std::uint8_t>(nibble_of(original) << 4 | nibble_of(reply));
}

// `out` is anything with u8(), u16() and u32(); of a ByteReader, the values read.
template <typename Writer>
void put_timeout(Writer& out, std::uint32_t seconds) {
  const std::uint8_t code = timeout_code(seconds);
  out.u8(code);
  if (code == kTimeout16) out.u16(static_cast<std::uint16_t>(seconds));
  if (code == kTimeout32) out.u32(seconds);
}
// False when it is not how put_timeout() spells it.
template <typename Reader>
bool get_timeout(Reader& in, std::uint32_t& seconds) {
  const std::uint8_t code = in.u8();
  if (code < kTimeouts.size()) {
    seconds = kTimeouts[code];
    return true;
  }
  if (code != kTimeout16 && code != kTimeout32) return false;
  seconds = code == kTimeout16 ? in.u16() : in.u32();
  return timeout_code(seconds) == code;
}

template <typename Writer>
void put_flags(Writer& out, std::uint8_t original, std::uint8_t reply) {
  if (!wide_flags(original, reply)) return out.u8(narrow_flags(original, reply));
  out.u8(original);
  out.u8(reply);
}
template <typename Reader>
bool get_flags(Reader& in, bool wide, std::uint8_t& original, std::uint8_t& reply) {
  original = in.u8();
  if (wide) {
    reply = in.u8();
    return wide_flags(original, reply);
  }
  reply = flags_of(original & 15u);
  original = flags_of(original >> 4);
  return true;
}

// Of an update or a delete.
constexpr std::uint8_t id_bit(std::uint32_t id) {
  return id < kShortIds ? kShortId : std::uint8_t{0};
}
template <typename Writer>
void put_id(Writer& out, std::uint32_t id) {
  if (id >= kShortIds) return out.u32(id);
  out.u8(static_cast<std::uint8_t>(id >> 16));
  out.u16(static_cast<std::uint16_t>(id));
}
template <typename Reader>
bool get_id(Reader& in, bool is_short, std::uint32_t& id) {
  if (is_short) {
    id = std::uint32_t{in.u8()} << 16;
    id |= in.u16();
    return true;
  }
  id = in.u32();
  return id >= kShortIds;
}

}  // namespace hotpair::dataplane::record
