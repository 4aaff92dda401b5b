#include "tools/bench/sync/load.hpp"

#include <netinet/in.h>

#include "platform/base/bytes.hpp"

namespace hotpair::bench::sync {

namespace {

using dataplane::Session;
using dataplane::SessionKey;

constexpr std::uint32_t kProbeNet = 0xcb007100;  // 203.0.113.0/24, which is for documentation
constexpr std::uint32_t kClients = 0x64400000, kServers = 0xc6120000;  // 100.64/10, 198.18/15
constexpr std::uint32_t kPortsAClient = 1u << 14;
constexpr std::uint16_t kServerPort = 443;
constexpr std::uint8_t kWindowScale = 7;
constexpr unsigned kStampShift = 6;  // of nanoseconds: 64 ns steps, which wrap after 274 s

struct Moment {
  std::uint8_t tcp_state;
  std::uint32_t timeout_s;
  std::uint8_t flags_original, flags_reply;
  std::uint32_t status;
};
// linux/netfilter/nf_conntrack_tcp.h: SYN_SENT, SYN_RECV, ESTABLISHED, FIN_WAIT, LAST_ACK,
// TIME_WAIT, each with the kernel's default timeout.
constexpr std::uint32_t kBoth = dataplane::kStatusSeenReply | dataplane::kStatusAssured;
constexpr Moment kLife[] = {
    {1, 120, 0x03, 0, 0},           {2, 60, 0x23, 0x23, dataplane::kStatusSeenReply},
    {3, 432000, 0x23, 0x23, kBoth}, {4, 120, 0x27, 0x23, kBoth},
    {6, 30, 0x27, 0x27, kBoth},     {7, 120, 0x27, 0x27, kBoth}};

std::uint32_t stamp(Instant at) {
  return static_cast<std::uint32_t>(at.time_since_epoch().count() >> kStampShift);
}

std::uint32_t client_of(std::uint32_t number) {
  return number / kPortsAClient + 1;
}
std::uint32_t server_of(std::uint32_t number) {
  return number % 251 + 1;
}
std::uint16_t port_of(std::uint32_t number) {
  return static_cast<std::uint16_t>(0x8000 | number % kPortsAClient);
}

void put(dataplane::Address& address, bool ipv6, std::uint32_t prefix, std::uint32_t number) {
  if (ipv6) {
    store_be<std::uint64_t>(address.bytes.data(), 0x20010db800000000 | prefix >> 24);
    store_be<std::uint32_t>(address.bytes.data() + 12, number);
  } else {
    store_be<std::uint32_t>(address.bytes.data(), prefix + number);
  }
}

}  // namespace

SessionKey Load::key(std::uint32_t number) const {
  SessionKey key;
  key.ipv6 = ipv6(number);
  key.protocol = IPPROTO_TCP;
  put(key.original.src, key.ipv6, kClients, client_of(number));
  put(key.original.dst, key.ipv6, kServers, server_of(number));
  key.original.src_port = port_of(number);
  key.original.dst_port = kServerPort;
  return key;
}

Session Load::session(std::uint32_t number, std::uint32_t version) const {
  Session out;
  out.key = key(number);
  out.state.reply = dataplane::reversed(out.key.original);
  if (nat(number)) put(out.state.reply.dst, out.key.ipv6, 0xc0000200, 1);
  const Moment& moment = kLife[version % std::size(kLife)];
  out.state.status = moment.status | (nat(number) ? dataplane::kStatusSrcNat : 0u);
  out.state.timeout_s = moment.timeout_s;
  out.state.tcp_state = moment.tcp_state;
  out.state.tcp_flags_original = moment.flags_original;
  out.state.tcp_flags_reply = moment.flags_reply;
  out.state.tcp_wscale_original = out.state.tcp_wscale_reply = kWindowScale;
  return out;
}

void Load::write(std::uint32_t number, std::uint32_t version,
                 dataplane::CompactSession& out) const {
  const Moment& moment = kLife[version % std::size(kLife)];
  out = {.src = kClients + client_of(number),
         .dst = kServers + server_of(number),
         .src_port = port_of(number),
         .dst_port = kServerPort,
         .protocol = IPPROTO_TCP,
         .timeout_s = moment.timeout_s,
         .status_and_state =
             static_cast<std::uint8_t>(dataplane::packed_status(moment.status) | moment.tcp_state),
         .tcp_flags_original = moment.flags_original,
         .tcp_flags_reply = moment.flags_reply,
         .tcp_wscales = kWindowScale << 4 | kWindowScale};
}

Session Load::probe(std::uint32_t number, Instant now) {
  Session session;
  session.key.protocol = IPPROTO_UDP;
  put(session.key.original.src, false, kProbeNet, number % 256);
  put(session.key.original.dst, false, kProbeNet, 1);
  session.state.reply = dataplane::reversed(session.key.original);
  session.state.mark = stamp(now);
  return session;
}

bool Load::is_probe(const SessionKey& key) {
  return key.protocol == IPPROTO_UDP &&
         (load_be<std::uint32_t>(key.original.src.bytes.data()) & 0xffffff00) == kProbeNet;
}

Duration Load::age_of_probe(const Session& session, Instant now) {
  return Duration(std::int64_t{stamp(now) - session.state.mark} << kStampShift);
}

}  // namespace hotpair::bench::sync
