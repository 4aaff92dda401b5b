#include "platform/linux/probe_packets.hpp"

#include "platform/base/assert.hpp"

namespace hotpair::sys {
namespace {

constexpr std::uint16_t kEthernet = 1, kEtherTypeIpv4 = 0x0800;
constexpr std::uint16_t kArpRequest = 1, kArpReply = 2;
constexpr std::uint8_t kSolicitation = 135, kAdvertisement = 136, kSourceLinkLayerAddress = 1;
constexpr std::uint32_t kSolicitedFlag = 1u << 30;
constexpr std::uint8_t kEchoRequest4 = 8, kEchoReply4 = 0, kEchoRequest6 = 128, kEchoReply6 = 129;
constexpr std::size_t kLeastIpHeader = 20;

// RFC 1071, over an even number of bytes.
std::uint16_t internet_checksum(Bytes bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2)
    sum += load_be<std::uint16_t>(bytes.data() + i);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

}  // namespace

std::array<std::uint8_t, kArpPacketSize> arp_probe(const MacAddress& mac, const IpAddress& target) {
  HOTPAIR_ASSERT(!target.ipv6);
  std::array<std::uint8_t, kArpPacketSize> packet{};
  ByteWriter out(packet);
  out.u16(kEthernet);
  out.u16(kEtherTypeIpv4);
  out.u8(6);
  out.u8(4);
  out.u16(kArpRequest);
  out.put(Bytes(mac));
  out.zeros(4);
  out.zeros(6);
  out.put(Bytes(target.bytes).first(4));
  HOTPAIR_ASSERT(!out.failed() && out.remaining() == 0);
  return packet;
}

std::optional<IpAddress> arp_answer(Bytes packet, const MacAddress& mac) {
  ByteReader in(packet);  // what follows the 28 bytes is padding
  const bool header = in.u16() == kEthernet && in.u16() == kEtherTypeIpv4 && in.u8() == 6 &&
                      in.u8() == 4 && in.u16() == kArpReply;
  in.skip(6);
  IpAddress from;
  const Bytes sender = in.take(4);
  MacAddress asked_by{};
  in.copy_to(asked_by);
  const std::uint32_t asked_from = in.u32();
  if (in.failed() || !header || asked_by != mac || asked_from != 0) return std::nullopt;
  std::copy(sender.begin(), sender.end(), from.bytes.begin());
  return from;
}

std::array<std::uint8_t, kSolicitationSize> neighbour_solicitation(const MacAddress& mac,
                                                                   const IpAddress& target) {
  HOTPAIR_ASSERT(target.ipv6);
  std::array<std::uint8_t, kSolicitationSize> packet{};
  ByteWriter out(packet);
  out.u8(kSolicitation);
  out.zeros(7);
  out.put(Bytes(target.bytes));
  out.u8(kSourceLinkLayerAddress);
  out.u8(1);  // in units of eight bytes
  out.put(Bytes(mac));
  HOTPAIR_ASSERT(!out.failed() && out.remaining() == 0);
  return packet;
}

IpAddress solicited_node(const IpAddress& target) {
  IpAddress group{true, {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01, 0xff}};
  std::copy(target.bytes.begin() + 13, target.bytes.end(), group.bytes.begin() + 13);
  return group;
}

std::optional<IpAddress> neighbour_answer(Bytes packet) {
  ByteReader in(packet);
  const bool header = in.u8() == kAdvertisement && in.u8() == 0;
  in.skip(2);
  const std::uint32_t flags = in.u32();
  IpAddress target{true, {}};
  in.copy_to(target.bytes);
  if (in.failed() || !header || (flags & kSolicitedFlag) == 0) return std::nullopt;
  return target;
}

std::array<std::uint8_t, kEchoSize> echo_request(const Echo& echo, bool ipv6) {
  std::array<std::uint8_t, kEchoSize> packet{};
  ByteWriter out(packet);
  out.u8(ipv6 ? kEchoRequest6 : kEchoRequest4);
  out.zeros(3);
  out.u16(echo.identifier);
  out.u16(echo.sequence);
  out.u64(echo.cookie);
  HOTPAIR_ASSERT(!out.failed() && out.remaining() == 0);
  if (!ipv6) store_be(packet.data() + 2, internet_checksum(packet));
  return packet;
}

std::optional<Echo> echo_answer(Bytes packet, bool ipv6) {
  if (!ipv6) {
    if (packet.empty()) return std::nullopt;
    const std::size_t header = std::size_t{4} * (packet[0] & 0x0f);
    if (header < kLeastIpHeader || header > packet.size()) return std::nullopt;
    packet = packet.subspan(header);
  }
  ByteReader in(packet);
  const bool reply = in.u8() == (ipv6 ? kEchoReply6 : kEchoReply4) && in.u8() == 0;
  in.skip(2);
  Echo echo;
  echo.identifier = in.u16();
  echo.sequence = in.u16();
  echo.cookie = in.u64();
  if (in.failed() || !reply) return std::nullopt;
  return echo;
}

}  // namespace hotpair::sys
