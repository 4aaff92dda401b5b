#include "platform/linux/announce.hpp"

#include <cerrno>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "platform/base/bytes.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::sys {
namespace {

constexpr std::uint8_t kNeighbourAdvertisement = 136;  // RFC 4861 section 4.4
constexpr std::uint8_t kTargetLinkLayerAddress = 2;    // RFC 4861 section 4.6.1
constexpr std::uint32_t kRouterFlag = 1u << 31, kOverrideFlag = 1u << 29;
constexpr std::size_t kAdvertisementSize = 32;
// RFC 4861 7.1.2: anything but 255 came from beyond a router and is discarded.
constexpr std::uint8_t kHopLimit = 255;

constexpr MacAddress kBroadcast = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
constexpr MacAddress kAllNodesMac = {0x33, 0x33, 0, 0, 0, 1};
constexpr std::array<std::uint8_t, 16> kAllNodes = {0xff, 0x02, 0, 0, 0, 0, 0, 0,
                                                    0,    0,    0, 0, 0, 0, 0, 1};

std::uint64_t sum_of_words(Bytes bytes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2)
    sum += load_be<std::uint16_t>(bytes.data() + i);
  return sum;
}

// RFC 8200 section 8.1: over the pseudo header and the message, whose checksum field is still zero.
std::uint16_t icmpv6_checksum(Bytes source, Bytes destination, Bytes message) {
  std::uint64_t sum = sum_of_words(source) + sum_of_words(destination) + sum_of_words(message);
  sum += message.size() + IPPROTO_ICMPV6;
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

}  // namespace

std::array<std::uint8_t, kArpFrameSize> gratuitous_arp(const MacAddress& mac,
                                                       const IpAddress& address) {
  HOTPAIR_ASSERT(!address.ipv6);
  const Bytes ip = Bytes(address.bytes).first(4);
  std::array<std::uint8_t, kArpFrameSize> frame{};
  ByteWriter out(frame);
  out.put(kBroadcast);
  out.put(mac);
  out.u16(ETH_P_ARP);
  out.u16(1);  // Ethernet
  out.u16(ETH_P_IP);
  out.u8(6);
  out.u8(4);
  out.u16(1);  // request: RFC 5227 section 3 prefers it, for hosts that take no replies unasked
  out.put(mac);
  out.put(ip);
  out.zeros(6);
  out.put(ip);
  HOTPAIR_ASSERT(!out.failed() && out.remaining() == 0);
  return frame;
}

std::array<std::uint8_t, kAdvertisementFrameSize> unsolicited_advertisement(
    const MacAddress& mac, const IpAddress& address, bool router) {
  HOTPAIR_ASSERT(address.ipv6);
  std::array<std::uint8_t, kAdvertisementFrameSize> frame{};
  ByteWriter out(frame);
  out.put(kAllNodesMac);
  out.put(mac);
  out.u16(ETH_P_IPV6);
  out.u32(6u << 28);
  out.u16(kAdvertisementSize);
  out.u8(IPPROTO_ICMPV6);
  out.u8(kHopLimit);
  out.put(address.bytes);
  out.put(kAllNodes);
  const std::size_t message_at = out.size();
  out.u8(kNeighbourAdvertisement);
  out.u8(0);
  out.u16(0);
  out.u32(kOverrideFlag | (router ? kRouterFlag : 0));
  out.put(address.bytes);
  out.u8(kTargetLinkLayerAddress);
  out.u8(1);  // in units of eight bytes
  out.put(mac);
  HOTPAIR_ASSERT(!out.failed() && out.remaining() == 0);
  const std::uint16_t checksum =
      icmpv6_checksum(address.bytes, kAllNodes, Bytes(frame).subspan(message_at));
  store_be(frame.data() + message_at + 2, checksum);
  return frame;
}

Result<Announcer> Announcer::open() {
  // Protocol 0: it receives nothing.
  FileDescriptor fd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail_errno("cannot open a socket to announce addresses", errno);
  return Announcer(std::move(fd));
}

std::size_t Announcer::send(std::span<const Announcement> announcements) {
  std::size_t sent = 0;
  last_error_.clear();
  auto send_frame = [&](const Announcement& what, Bytes frame) {
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_ifindex = what.ifindex;
    to.sll_halen = 6;
    std::copy_n(frame.begin(), 6, to.sll_addr);
    if (sendto(socket_.get(), frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&to),
               sizeof(to)) == static_cast<ssize_t>(frame.size())) {
      ++sent;
    } else if (last_error_.empty()) {
      const int error = errno;
      char name[IF_NAMESIZE] = "?";
      if_indextoname(static_cast<unsigned>(what.ifindex), name);
      last_error_ = "cannot announce " + to_text(what.address) + " on " + name + ": " +
                    errno_text(error) + "; see 'ip link show " + name + "'";
    }
  };
  for (const Announcement& each : announcements) {
    if (each.address.ipv6)
      send_frame(each, unsolicited_advertisement(each.mac, each.address, each.router));
    else
      send_frame(each, gratuitous_arp(each.mac, each.address));
  }
  return sent;
}

}  // namespace hotpair::sys
