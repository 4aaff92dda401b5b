// Sessions for tests, drawn from a seed: TCP, UDP and SCTP, IPv4 and IPv6, with and without NAT,
// marks, zones and each of the extras.
#pragma once

#include "dataplane/core/extras_record.hpp"
#include "dataplane/core/session.hpp"
#include "dataplane/core/session_key.hpp"
#include "platform/base/rng.hpp"

namespace hotpair::dataplane::testing {

inline void set_address(Address& address, bool ipv6, std::uint64_t low) {
  address = Address{};
  const std::size_t size = ipv6 ? 16 : 4;
  for (std::size_t i = 0; i < (ipv6 ? 8u : 4u); ++i)
    address.bytes[size - 1 - i] = static_cast<std::uint8_t>(low >> (8 * i));
  if (ipv6) address.bytes[0] = 0x20;
}

// The key number `n` of an endless list; the same number gives the same key.
inline SessionKey made_key(std::uint64_t n) {
  Rng rng(n * 7919 + 13);
  SessionKey key;
  key.ipv6 = rng.chance(1, 4);
  key.protocol = rng.chance(1, 3) ? kProtocolUdp : kProtocolTcp;
  if (rng.chance(1, 16)) key.protocol = kProtocolSctp;
  key.zone = rng.chance(1, 8) ? static_cast<std::uint16_t>(rng.below(4)) : std::uint16_t{0};
  set_address(key.original.src, key.ipv6, 0x0a000000 + n % 65536);
  set_address(key.original.dst, key.ipv6, 0xc0000200 + rng.below(250));
  key.original.src_port = static_cast<std::uint16_t>(1024 + n / 65536 + rng.below(60000));
  key.original.dst_port = rng.chance(1, 2) ? 443 : 80;
  return key;
}

// The parts of the state that change with each packet exchange.
inline void change_often_changing(SessionState& state, std::uint8_t protocol, Rng& rng) {
  state.status = static_cast<std::uint32_t>(rng.next()) & kCarriedStatus;
  state.timeout_s = rng.chance(1, 2) ? 432000 : static_cast<std::uint32_t>(rng.below(600));
  if (has_state(protocol)) state.tcp_state = static_cast<std::uint8_t>(1 + rng.below(8));
  if (protocol != kProtocolTcp) return;
  state.tcp_flags_original = static_cast<std::uint8_t>(rng.below(256));
  state.tcp_flags_reply = static_cast<std::uint8_t>(rng.below(256));
}

inline Expectation made_expectation(const SessionKey& key, Rng& rng) {
  Expectation e;
  e.protocol = rng.chance(1, 2) ? kProtocolTcp : kProtocolUdp;
  e.tuple = reversed(key.original);
  e.tuple.src_port = 0;
  e.tuple.dst_port = static_cast<std::uint16_t>(rng.below(65536));
  set_address(e.source_mask, key.ipv6, 0xffffffff);
  e.flags = static_cast<std::uint8_t>(rng.below(4));
  e.policy_class = static_cast<std::uint8_t>(rng.below(4));
  e.timeout_s = 300;
  e.translated = rng.chance(1, 2);
  if (e.translated) {
    e.saved_direction = static_cast<std::uint8_t>(rng.below(2));
    e.saved_address = key.original.src;
    e.saved_port = static_cast<std::uint16_t>(rng.below(65536));
    e.function.assign("nat-follow-master");
  }
  return e;
}

// Each part with one chance in three.
inline Extras made_extras(const SessionKey& key, Rng& rng) {
  Extras e;
  e.parts = static_cast<std::uint16_t>(rng.next() & rng.next() & Extras::kAllParts);
  for (std::uint8_t& byte : e.labels) byte = static_cast<std::uint8_t>(rng.below(256));
  e.helper.assign(rng.chance(1, 2) ? "ftp" : "sip-5060");
  for (SequenceAdjustment& s : e.sequence)
    s = {static_cast<std::uint32_t>(rng.next()), -5, static_cast<std::int32_t>(rng.below(99))};
  e.synproxy = {static_cast<std::uint32_t>(rng.next()), 7, 8};
  for (std::uint32_t& tag : e.sctp_tags) tag = static_cast<std::uint32_t>(rng.next());
  e.dccp_role = 1;
  e.dccp_handshake = rng.next();
  e.master_protocol = kProtocolTcp;
  e.master = key.original;
  e.reply_zone = static_cast<std::uint16_t>(rng.below(4));
  for (std::uint64_t n = rng.below(kMaxExpectations + 1); n > 0; --n)
    e.expectations.push_back(made_expectation(key, rng));
  return normalised(e, key);
}

inline Session made_session(const SessionKey& key, Rng& rng) {
  Session s;
  s.key = key;
  s.state.reply = reversed(key.original);
  if (rng.chance(1, 3)) set_address(s.state.reply.dst, key.ipv6, 0xcb007100 + rng.below(4));
  if (rng.chance(1, 3)) s.state.reply.dst_port = static_cast<std::uint16_t>(rng.below(65536));
  if (rng.chance(1, 8)) set_address(s.state.reply.src, key.ipv6, 0x0a010000 + rng.below(99));
  if (rng.chance(1, 8)) s.state.reply.src_port = 8080;
  if (rng.chance(1, 4)) s.state.mark = static_cast<std::uint32_t>(rng.next());
  if (key.protocol == kProtocolTcp) {
    s.state.tcp_wscale_original = static_cast<std::uint8_t>(rng.below(15));
    s.state.tcp_wscale_reply = static_cast<std::uint8_t>(rng.below(15));
  }
  change_often_changing(s.state, key.protocol, rng);
  if (rng.chance(1, 8)) s.state.extras = SharedExtras::of(made_extras(key, rng));
  return s;
}

}  // namespace hotpair::dataplane::testing
