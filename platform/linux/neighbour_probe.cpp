#include "platform/linux/neighbour_probe.hpp"

#include <cerrno>
#include <cstring>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "platform/linux/system_error.hpp"

namespace hotpair::sys {
namespace {

constexpr std::uint16_t kRequest = 1, kReply = 2;
constexpr std::uint8_t kNeighbourSolicitation = 135, kNeighbourAdvertisement = 136;
constexpr std::uint8_t kSourceLinkLayerAddress = 1, kTargetLinkLayerAddress = 2;
constexpr std::uint32_t kSolicitedFlag = 1u << 30;
constexpr std::uint8_t kHopLimit = 255;
constexpr std::size_t kSolicitationSize = 32;
constexpr int kMaxATurn = 64;

// RFC 8200 section 8.1, over the pseudo header and a message whose checksum field is zero.
std::uint16_t icmpv6_checksum(Bytes source, Bytes destination, Bytes message) {
  std::uint64_t sum = message.size() + IPPROTO_ICMPV6;
  for (const Bytes part : {source, destination, message})
    for (std::size_t i = 0; i + 1 < part.size(); i += 2)
      sum += load_be<std::uint16_t>(part.data() + i);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

IpAddress ipv4_at(const std::uint8_t* at) {
  IpAddress address;
  std::memcpy(address.bytes.data(), at, 4);
  return address;
}

MacAddress mac_at(const std::uint8_t* at) {
  MacAddress mac{};
  std::memcpy(mac.data(), at, mac.size());
  return mac;
}

struct Received {
  std::size_t size = 0;
  int ifindex = 0;
  bool from_here = false;  // nearer than a router: the hop limit is whole
};

std::optional<Received> receive_icmp(int fd, MutableBytes buffer) {
  iovec data{buffer.data(), buffer.size()};
  alignas(cmsghdr) std::array<char, 128> control{};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got = recvmsg(fd, &message, MSG_DONTWAIT);
  if (got < 0) return std::nullopt;
  Received received{static_cast<std::size_t>(got), 0, false};
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != IPPROTO_IPV6) continue;
    if (c->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(c), sizeof(info));
      received.ifindex = static_cast<int>(info.ipi6_ifindex);
    } else if (c->cmsg_type == IPV6_HOPLIMIT) {
      int hops = 0;
      std::memcpy(&hops, CMSG_DATA(c), sizeof(hops));
      received.from_here = hops == kHopLimit;
    }
  }
  return received;
}

}  // namespace

std::array<std::uint8_t, kArpFrameSize> arp_probe(const MacAddress& mac, const IpAddress& address,
                                                  const Neighbour& to) {
  HOTPAIR_ASSERT(!address.ipv6 && !to.address.ipv6);
  std::array<std::uint8_t, kArpFrameSize> frame{};
  ByteWriter out(frame);
  out.put(to.mac);
  out.put(mac);
  out.u16(ETH_P_ARP);
  out.u16(1);  // Ethernet
  out.u16(ETH_P_IP);
  out.u8(6);
  out.u8(4);
  out.u16(kRequest);
  out.put(mac);
  out.put(Bytes(address.bytes).first(4));
  out.zeros(6);
  out.put(Bytes(to.address.bytes).first(4));
  HOTPAIR_ASSERT(!out.failed() && out.remaining() == 0);
  return frame;
}

std::array<std::uint8_t, kAdvertisementFrameSize> solicitation_probe(const MacAddress& mac,
                                                                     const IpAddress& address,
                                                                     const Neighbour& to) {
  HOTPAIR_ASSERT(address.ipv6 && to.address.ipv6);
  std::array<std::uint8_t, kAdvertisementFrameSize> frame{};
  ByteWriter out(frame);
  out.put(to.mac);
  out.put(mac);
  out.u16(ETH_P_IPV6);
  out.u32(6u << 28);
  out.u16(kSolicitationSize);
  out.u8(IPPROTO_ICMPV6);
  out.u8(kHopLimit);
  out.put(address.bytes);
  out.put(to.address.bytes);
  const std::size_t message_at = out.size();
  out.u8(kNeighbourSolicitation);
  out.u8(0);
  out.u16(0);
  out.u32(0);
  out.put(to.address.bytes);
  out.u8(kSourceLinkLayerAddress);
  out.u8(1);  // in units of eight bytes
  out.put(mac);
  HOTPAIR_ASSERT(!out.failed() && out.remaining() == 0);
  store_be(frame.data() + message_at + 2,
           icmpv6_checksum(address.bytes, to.address.bytes, Bytes(frame).subspan(message_at)));
  return frame;
}

std::optional<NeighbourWord> parse_arp(Bytes frame) {
  if (frame.size() < kArpFrameSize) return std::nullopt;
  const std::uint8_t* arp = frame.data() + ETH_HLEN;
  if (load_be<std::uint16_t>(frame.data() + 12) != ETH_P_ARP || load_be<std::uint16_t>(arp) != 1 ||
      load_be<std::uint16_t>(arp + 2) != ETH_P_IP || arp[4] != 6 || arp[5] != 4)
    return std::nullopt;
  const auto operation = load_be<std::uint16_t>(arp + 6);
  if (operation != kRequest && operation != kReply) return std::nullopt;
  NeighbourWord word{0, ipv4_at(arp + 14), mac_at(arp + 8), operation == kReply};
  if (word.address == IpAddress{}) return std::nullopt;  // a probe of RFC 5227 claims nothing
  return word;
}

std::optional<NeighbourWord> parse_advertisement(Bytes message) {
  constexpr std::size_t kFixed = 24;
  if (message.size() < kFixed || message[0] != kNeighbourAdvertisement || message[1] != 0)
    return std::nullopt;
  NeighbourWord word;
  word.answer = (load_be<std::uint32_t>(message.data() + 4) & kSolicitedFlag) != 0;
  word.address.ipv6 = true;
  std::memcpy(word.address.bytes.data(), message.data() + 8, 16);
  for (std::size_t at = kFixed; at + 8 <= message.size();) {
    const std::size_t size = std::size_t{message[at + 1]} * 8;
    if (size == 0 || size > message.size() - at) return std::nullopt;
    if (message[at] == kTargetLinkLayerAddress) word.mac = mac_at(message.data() + at + 2);
    at += size;
  }
  return word;
}

Result<NeighbourSocket> NeighbourSocket::open() {
  constexpr int kFlags = SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK;
  FileDescriptor arp(socket(AF_PACKET, kFlags, htons(ETH_P_ARP)));
  if (!arp) return fail_errno("cannot open a socket to hear neighbours (ARP)", errno);
  // Of what is forwarded it hears nothing, and costs nothing.
  FileDescriptor icmp(socket(AF_INET6, kFlags, IPPROTO_ICMPV6));
  if (!icmp) return fail_errno("cannot open a socket to hear neighbours (ICMPv6)", errno);
  icmp6_filter filter;
  ICMP6_FILTER_SETBLOCKALL(&filter);
  ICMP6_FILTER_SETPASS(kNeighbourAdvertisement, &filter);
  const int on = 1;
  if (setsockopt(icmp.get(), IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)) != 0 ||
      setsockopt(icmp.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) != 0 ||
      setsockopt(icmp.get(), IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on)) != 0)
    return fail_errno("cannot filter neighbour advertisements", errno);
  return NeighbourSocket(std::move(arp), std::move(icmp));
}

void NeighbourSocket::receive(const Callback& callback) {
  std::array<std::uint8_t, 2048> buffer;
  for (int i = 0; i < kMaxATurn; ++i) {
    sockaddr_ll from{};
    socklen_t size = sizeof(from);
    const ssize_t got = recvfrom(arp_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT,
                                 reinterpret_cast<sockaddr*>(&from), &size);
    if (got < 0) break;
    if (auto word = parse_arp(Bytes(buffer).first(static_cast<std::size_t>(got)))) {
      word->ifindex = from.sll_ifindex;
      callback(*word);
    }
  }
  for (int i = 0; i < kMaxATurn; ++i) {
    const auto received = receive_icmp(icmp_.get(), buffer);
    if (!received) break;
    if (!received->from_here) continue;
    if (auto word = parse_advertisement(Bytes(buffer).first(received->size))) {
      word->ifindex = received->ifindex;
      callback(*word);
    }
  }
}

bool NeighbourSocket::send(int ifindex, Bytes frame) const {
  HOTPAIR_ASSERT(frame.size() >= ETH_HLEN);
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = ifindex;
  to.sll_halen = 6;
  std::copy_n(frame.begin(), 6, to.sll_addr);
  return sendto(arp_.get(), frame.data(), frame.size(), MSG_DONTWAIT,
                reinterpret_cast<const sockaddr*>(&to),
                sizeof(to)) == static_cast<ssize_t>(frame.size());
}

}  // namespace hotpair::sys
