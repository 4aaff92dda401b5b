#include "dataplane/core/compact_session.hpp"

#include <cstring>

#include "dataplane/core/session_key.hpp"
#include "platform/base/bytes.hpp"

namespace hotpair::dataplane {
namespace {

std::uint32_t ipv4_of(const Address& address) {
  return load_be<std::uint32_t>(address.bytes.data());
}
void put_ipv4(std::uint32_t value, Address& address) {
  store_be<std::uint32_t>(address.bytes.data(), value);
}

bool same_ipv4(const Address& a, const Address& b) {
  return std::memcmp(a.bytes.data(), b.bytes.data(), 4) == 0;
}
bool has_ipv4_nat(const Session& s) {
  const Tuple &o = s.key.original, &r = s.state.reply;
  return o.src_port != r.dst_port || o.dst_port != r.src_port || !same_ipv4(o.src, r.dst) ||
         !same_ipv4(o.dst, r.src);
}

Side side_of(const Session& s) {
  if (s.state.extras) return Side::wide;
  if (s.key.ipv6) return has_nat(s) ? Side::wide : Side::ipv6;
  return has_nat(s) ? Side::nat : Side::none;
}

void compact(const Session& s, Side side, CompactSession& out) {
  out.src = s.key.ipv6 ? 0 : ipv4_of(s.key.original.src);
  out.dst = s.key.ipv6 ? 0 : ipv4_of(s.key.original.dst);
  out.src_port = s.key.original.src_port;
  out.dst_port = s.key.original.dst_port;
  out.zone = s.key.zone;
  out.protocol = s.key.protocol;
  out.form = static_cast<std::uint8_t>(static_cast<unsigned>(side) |
                                       (s.key.ipv6 ? CompactSession::kIpv6 : 0u));
  out.mark = s.state.mark;
  out.timeout_s = s.state.timeout_s;
  out.status_and_state = packed_status(s.state.status);
  out.tcp_flags_original = out.tcp_flags_reply = out.tcp_wscales = 0;
  out.side = 0;
  if (!has_state(s.key.protocol)) return;
  out.status_and_state =
      static_cast<std::uint8_t>(out.status_and_state | (s.state.tcp_state & 0x0fu));
  if (s.key.protocol != kProtocolTcp) return;
  out.tcp_flags_original = s.state.tcp_flags_original;
  out.tcp_flags_reply = s.state.tcp_flags_reply;
  out.tcp_wscales = static_cast<std::uint8_t>((s.state.tcp_wscale_original & 0x0fu) << 4 |
                                              (s.state.tcp_wscale_reply & 0x0fu));
}

}  // namespace

SessionView::SessionView(const Session& normalised) {
  const Side side = side_of(normalised);
  dataplane::compact(normalised, side, compact);
  if (side != Side::none) whole = &normalised;
}

bool compact_alone(const Session& session, CompactSession& out) {
  if (session.key.ipv6 || session.state.extras || has_ipv4_nat(session)) return false;
  compact(session, Side::none, out);
  return true;
}

void expand_into(const CompactSession& c, Session& out) {
  out.key.ipv6 = c.ipv6();
  if (!c.ipv6()) {
    put_ipv4(c.src, out.key.original.src);
    put_ipv4(c.dst, out.key.original.dst);
  }
  out.key.original.src_port = c.src_port;
  out.key.original.dst_port = c.dst_port;
  out.key.zone = c.zone;
  out.key.protocol = c.protocol;
  if (c.side_kind() == Side::none) out.state.reply = reversed(out.key.original);
  out.state.status = unpacked_status(c.status_and_state);
  out.state.mark = c.mark;
  out.state.timeout_s = c.timeout_s;
  out.state.tcp_state = c.status_and_state & 0x0f;
  out.state.tcp_flags_original = c.tcp_flags_original;
  out.state.tcp_flags_reply = c.tcp_flags_reply;
  out.state.tcp_wscale_original = c.tcp_wscales >> 4;
  out.state.tcp_wscale_reply = c.tcp_wscales & 0x0f;
}

Session expanded(const CompactSession& alone) {
  Session out;
  expand_into(alone, out);
  return out;
}

}  // namespace hotpair::dataplane
