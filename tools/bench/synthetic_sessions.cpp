#include "tools/bench/synthetic_sessions.hpp"

#include <netinet/in.h>

#include "platform/base/bytes.hpp"

namespace hotpair::bench {
namespace {

// linux/netfilter/nf_conntrack_tcp.h: TCP_CONNTRACK_ESTABLISHED, and the flags of an ordinary
// connection.
constexpr std::uint8_t kEstablished = 3;
constexpr std::uint8_t kWindowScaleAndSack = 0x01 | 0x02;
constexpr std::uint8_t kWindowScale = 7;

// Clients in 100.64.0.0/10 and 2001:db8:c000::/48, servers in 198.18.0.0/15 and 2001:db8:5000::/48:
// ranges for benchmarks and documentation, which no real traffic has.
dataplane::Address address(bool ipv6, bool client, std::uint32_t number) {
  dataplane::Address made;
  if (ipv6) {
    store_be<std::uint32_t>(made.bytes.data(), 0x20010db8);
    store_be<std::uint16_t>(made.bytes.data() + 4, client ? 0xc000 : 0x5000);
    store_be<std::uint32_t>(made.bytes.data() + 12, number + 1);
  } else {
    store_be<std::uint32_t>(made.bytes.data(), (client ? 0x64400000u : 0xc6120000u) + number + 1);
  }
  return made;
}

}  // namespace

dataplane::Session synthetic_session(std::uint32_t number, std::uint32_t timeout_s) {
  const std::uint32_t kind = number % 4;
  const std::uint32_t place = number / 4;  // 32,768 ports a client; a few hundred servers
  dataplane::Session session;
  session.key.ipv6 = kind >= 2;
  session.key.protocol = kind % 2 == 0 ? IPPROTO_TCP : IPPROTO_UDP;
  session.key.original = {address(session.key.ipv6, true, place >> 15),
                          address(session.key.ipv6, false, place % 251),
                          static_cast<std::uint16_t>(0x8000 | (place & 0x7fff)),
                          static_cast<std::uint16_t>(kind % 2 == 0 ? 443 : 53)};
  session.state.reply = dataplane::reversed(session.key.original);
  session.state.status = dataplane::kStatusSeenReply | dataplane::kStatusAssured;
  session.state.timeout_s = timeout_s;
  if (session.key.protocol == IPPROTO_TCP) {
    session.state.tcp_state = kEstablished;
    session.state.tcp_flags_original = session.state.tcp_flags_reply = kWindowScaleAndSack;
    session.state.tcp_wscale_original = session.state.tcp_wscale_reply = kWindowScale;
  }
  return session;
}

}  // namespace hotpair::bench
