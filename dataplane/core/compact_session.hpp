// A session as the table keeps it: 28 bytes for IPv4, whatever else it has standing beside it in a
// side pool (SideStore): the addresses of IPv6, the reply tuple of NAT, extras. Most sessions have
// none of these.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "dataplane/core/session.hpp"
#include "dataplane/core/session_key.hpp"
#include "platform/base/bytes.hpp"

namespace hotpair::dataplane {

// What stands beside a compact session.
enum class Side : std::uint8_t {
  none = 0,  // IPv4 without NAT
  nat = 1,   // IPv4: the reply tuple
  ipv6 = 2,  // IPv6 without NAT: both addresses
  wide = 3   // IPv6 with NAT, and whatever has extras: all of it
};

struct CompactSession {
  std::uint32_t src = 0, dst = 0;  // IPv4 in host order; 0 with IPv6
  std::uint16_t src_port = 0, dst_port = 0;
  std::uint16_t zone = 0;
  std::uint8_t protocol = 0;
  std::uint8_t form = 0;  // Side in the low two bits, then ipv6
  std::uint32_t mark = 0, timeout_s = 0;
  std::uint8_t status_and_state = 0;  // packed_status(), the TCP state in the low four bits
  std::uint8_t tcp_flags_original = 0, tcp_flags_reply = 0;
  std::uint8_t tcp_wscales = 0;  // original in the high four bits
  std::uint32_t side = 0;        // its place in the side pool; 0 without one

  static constexpr std::uint8_t kSideBits = 3, kIpv6 = 4;

  Side side_kind() const { return static_cast<Side>(form & kSideBits); }
  bool ipv6() const { return (form & kIpv6) != 0; }
  friend bool operator==(const CompactSession&, const CompactSession&) = default;
};
static_assert(sizeof(CompactSession) == 32);

// Four status bits in the high half of a byte: seen reply, assured, source NAT, destination NAT.
// By tables, because every session that is reported or digested passes here.
constexpr std::uint32_t unpacked_status_bits(unsigned high_half) {
  return ((high_half & 8) ? kStatusSeenReply : 0) | ((high_half & 4) ? kStatusAssured : 0) |
         ((high_half & 2) ? kStatusSrcNat : 0) | ((high_half & 1) ? kStatusDstNat : 0);
}
constexpr std::array<std::uint8_t, 16> kUnpackedStatus = [] {
  std::array<std::uint8_t, 16> all{};
  for (unsigned i = 0; i < 16; ++i) all[i] = static_cast<std::uint8_t>(unpacked_status_bits(i));
  return all;
}();
constexpr std::array<std::uint8_t, 64> kPackedStatus = [] {
  std::array<std::uint8_t, 64> all{};
  for (unsigned status = 0; status < 64; ++status)
    for (unsigned i = 0; i < 16; ++i)
      if (unpacked_status_bits(i) == (status & kCarriedStatus))
        all[status] = static_cast<std::uint8_t>(i << 4);
  return all;
}();
static_assert(kCarriedStatus < 64);

inline std::uint8_t packed_status(std::uint32_t status) {
  return kPackedStatus[status % 64];
}
inline std::uint32_t unpacked_status(std::uint8_t byte) {
  return kUnpackedStatus[byte >> 4];
}

// status_and_state, the flags of both directions and the window scales, lowest byte first: read and
// written as one word, since every change passes here.
inline std::uint32_t changing_bits(const CompactSession& s) {
  if constexpr (std::endian::native == std::endian::little) {
    static_assert(offsetof(CompactSession, tcp_wscales) ==
                  offsetof(CompactSession, status_and_state) + 3);
    std::uint32_t bits;
    std::memcpy(&bits,
                reinterpret_cast<const char*>(&s) + offsetof(CompactSession, status_and_state),
                sizeof bits);
    return bits;
  }
  return std::uint32_t{s.status_and_state} | std::uint32_t{s.tcp_flags_original} << 8 |
         std::uint32_t{s.tcp_flags_reply} << 16 | std::uint32_t{s.tcp_wscales} << 24;
}
inline void set_changing_bits(CompactSession& s, std::uint32_t bits) {
  s.status_and_state = static_cast<std::uint8_t>(bits);
  s.tcp_flags_original = static_cast<std::uint8_t>(bits >> 8);
  s.tcp_flags_reply = static_cast<std::uint8_t>(bits >> 16);
  s.tcp_wscales = static_cast<std::uint8_t>(bits >> 24);
}

// A TCP connection one side of which has said that it ends, until both have: FIN_WAIT, CLOSE_WAIT
// or LAST_ACK (linux/netfilter/nf_conntrack_tcp.h).
inline bool is_closing(const CompactSession& s) {
  constexpr unsigned kFinWait = 4, kLastAck = 6;
  return s.protocol == kProtocolTcp &&
         (s.status_and_state & 0x0fu) - kFinWait <= kLastAck - kFinWait;
}

// What an update carries of a session, and what it may set.
struct UpdatedPart {
  std::uint32_t timeout_s = 0;
  std::uint32_t bits = 0;  // changing_bits() without the window scales

  static constexpr std::uint32_t kBits = 0x00ffffff;

  UpdatedPart() = default;
  explicit UpdatedPart(const CompactSession& s)
      : timeout_s(s.timeout_s), bits(changing_bits(s) & kBits) {}
  std::uint8_t status_and_state() const { return static_cast<std::uint8_t>(bits); }
  std::uint8_t flags_original() const { return static_cast<std::uint8_t>(bits >> 8); }
  std::uint8_t flags_reply() const { return static_cast<std::uint8_t>(bits >> 16); }
  void apply_to(CompactSession& s) const {
    s.timeout_s = timeout_s;
    set_changing_bits(s, bits | (changing_bits(s) & ~kBits));
  }
  friend bool operator==(const UpdatedPart&, const UpdatedPart&) = default;
};

// A normalised session for the table: compact, and whole when something stands beside it. Lives no
// longer than what it was made of.
struct SessionView {
  CompactSession compact;
  const Session* whole = nullptr;  // null: `compact` says all

  SessionView() = default;
  explicit SessionView(const Session& normalised);
  explicit SessionView(const CompactSession& all) : compact(all) {}
};

// The fields of a session that stand in its compact form, with addresses as given.
inline void compact_into(const Session& s, std::uint32_t src, std::uint32_t dst, std::uint8_t form,
                         CompactSession& out) {
  const bool tcp = s.key.protocol == kProtocolTcp;
  const unsigned state = tcp || has_state(s.key.protocol) ? s.state.tcp_state & 0x0fu : 0u;
  out.src = src;
  out.dst = dst;
  out.src_port = s.key.original.src_port;
  out.dst_port = s.key.original.dst_port;
  out.zone = s.key.zone;
  out.protocol = s.key.protocol;
  out.form = form;
  out.mark = s.state.mark;
  out.timeout_s = s.state.timeout_s;
  out.status_and_state = static_cast<std::uint8_t>(packed_status(s.state.status) | state);
  out.tcp_flags_original = tcp ? s.state.tcp_flags_original : std::uint8_t{0};
  out.tcp_flags_reply = tcp ? s.state.tcp_flags_reply : std::uint8_t{0};
  out.tcp_wscales = tcp ? static_cast<std::uint8_t>((s.state.tcp_wscale_original & 0x0fu) << 4 |
                                                    (s.state.tcp_wscale_reply & 0x0fu))
                        : std::uint8_t{0};
  out.side = 0;
}

// True, and `out` is the session normalised, when nothing needs to stand beside it.
inline bool compact_alone(const Session& s, CompactSession& out) {
  if (s.key.ipv6 || s.state.extras) return false;
  const Tuple &o = s.key.original, &r = s.state.reply;
  const auto ipv4 = [](const Address& a) { return load_be<std::uint32_t>(a.bytes.data()); };
  const std::uint32_t src = ipv4(o.src), dst = ipv4(o.dst);
  if (o.src_port != r.dst_port || o.dst_port != r.src_port || src != ipv4(r.dst) ||
      dst != ipv4(r.src))
    return false;
  compact_into(s, src, dst, 0, out);
  return true;
}
// Of a compact session alone: IPv4 without NAT.
Session expanded(const CompactSession& alone);
inline Session expanded(const SessionView& view) {
  return view.whole != nullptr ? *view.whole : expanded(view.compact);
}
// The fields that stand in the compact form; addresses and reply tuple only of IPv4 without NAT.
void expand_into(const CompactSession& compact, Session& out);

// The IPv4 key, or the rest of an IPv6 key.
inline bool same_inline_key(const CompactSession& a, const CompactSession& b) {
  // The first sixteen bytes, but for what stands beside it, which the last of them says.
  constexpr std::uint64_t kSide = std::endian::native == std::endian::little
                                      ? std::uint64_t{CompactSession::kSideBits} << 56
                                      : std::uint64_t{CompactSession::kSideBits};
  std::array<std::uint64_t, 2> x, y;
  static_assert(offsetof(CompactSession, form) == sizeof x - 1);
  std::memcpy(x.data(), &a, sizeof x);
  std::memcpy(y.data(), &b, sizeof y);
  return ((x[0] ^ y[0]) | ((x[1] ^ y[1]) & ~kSide)) == 0;
}
inline bool same_all(const CompactSession& a, const CompactSession& b) {
  static_assert(sizeof a == 32, "no padding");
  return std::memcmp(&a, &b, sizeof a) == 0;
}
// Of two sessions with one key and nothing beside either: all that may differ, half of each.
struct StateWords {
  static constexpr std::size_t kAt = offsetof(CompactSession, mark);
  std::array<std::uint64_t, 2> words;

  explicit StateWords(const CompactSession& s) {
    static_assert(kAt + sizeof words == sizeof s);
    std::memcpy(words.data(), reinterpret_cast<const char*>(&s) + kAt, sizeof words);
  }
  void put_into(CompactSession& s) const {
    std::memcpy(reinterpret_cast<char*>(&s) + kAt, words.data(), sizeof words);
  }
  friend bool operator==(const StateWords& a, const StateWords& b) {
    return ((a.words[0] ^ b.words[0]) | (a.words[1] ^ b.words[1])) == 0;
  }
};
// The parts an update does not carry.
inline bool same_rarely_changing(const CompactSession& a, const CompactSession& b) {
  return a.mark == b.mark && a.tcp_wscales == b.tcp_wscales;
}

}  // namespace hotpair::dataplane
