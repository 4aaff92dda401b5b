// The packets that ask whether an address answers, and what counts as its answer. Pure.
//
//   ARP probe (RFC 5227 section 2.1.1): its sender address is 0.0.0.0, so that no neighbour learns
//   from it who holds an address, and a node that has none can ask. The reply names our MAC.
//   Neighbour solicitation (RFC 4861 section 4.3) and the solicited advertisement (4.4).
//   ICMP echo (RFC 792, RFC 4443 section 4.1): identifier, sequence number and a cookie come back.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "platform/base/bytes.hpp"
#include "platform/linux/ip_address.hpp"

namespace hotpair::sys {

constexpr std::size_t kArpPacketSize = 28;
constexpr std::size_t kSolicitationSize = 32;
constexpr std::size_t kEchoSize = 16;
// RFC 4861 section 7.1: anything else came from beyond a router.
constexpr int kNeighbourHopLimit = 255;

std::array<std::uint8_t, kArpPacketSize> arp_probe(const MacAddress& mac, const IpAddress& target);
// Who answered a probe of `mac`; none: not an answer to a probe, but for example to the kernel.
std::optional<IpAddress> arp_answer(Bytes packet, const MacAddress& mac);

// The checksum is left to the kernel.
std::array<std::uint8_t, kSolicitationSize> neighbour_solicitation(const MacAddress& mac,
                                                                   const IpAddress& target);
IpAddress solicited_node(const IpAddress& target);  // ff02::1:ffXX:XXXX, RFC 4291 section 2.7.1
// The target of an advertisement that answers a solicitation.
std::optional<IpAddress> neighbour_answer(Bytes packet);

struct Echo {
  std::uint16_t identifier = 0, sequence = 0;
  std::uint64_t cookie = 0;  // nobody who did not see the request can know it
  friend bool operator==(const Echo&, const Echo&) = default;
};
// IPv4 with its checksum, IPv6 with the checksum left to the kernel.
std::array<std::uint8_t, kEchoSize> echo_request(const Echo& echo, bool ipv6);
// IPv4 as a raw socket delivers it, with the IP header; IPv6 without.
std::optional<Echo> echo_answer(Bytes packet, bool ipv6);

}  // namespace hotpair::sys
