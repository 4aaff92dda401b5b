#include "dataplane/core/compact_session.hpp"

namespace hotpair::dataplane {
namespace {

std::uint32_t ipv4_of(const Address& address) {
  return load_be<std::uint32_t>(address.bytes.data());
}
void put_ipv4(std::uint32_t value, Address& address) {
  store_be<std::uint32_t>(address.bytes.data(), value);
}

Side side_of(const Session& s) {
  if (s.state.extras) return Side::wide;
  if (s.key.ipv6) return has_nat(s) ? Side::wide : Side::ipv6;
  return has_nat(s) ? Side::nat : Side::none;
}

}  // namespace

SessionView::SessionView(const Session& normalised) {
  const Side side = side_of(normalised);
  const bool ipv6 = normalised.key.ipv6;
  const Tuple& original = normalised.key.original;
  compact_into(
      normalised, ipv6 ? 0 : ipv4_of(original.src), ipv6 ? 0 : ipv4_of(original.dst),
      static_cast<std::uint8_t>(static_cast<unsigned>(side) | (ipv6 ? CompactSession::kIpv6 : 0u)),
      compact);
  if (side != Side::none) whole = &normalised;
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
