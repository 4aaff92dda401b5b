#include "platform/linux/probe_socket.hpp"

#include <array>
#include <cerrno>
#include <cstring>

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

#include "platform/linux/probe_packets.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::sys {
namespace {

constexpr int kMostPacketsATurn = 64;
constexpr std::size_t kLargestAnswer = 256;  // of a longer one the beginning is enough
constexpr std::uint32_t kAncillary = static_cast<std::uint32_t>(SKF_AD_OFF);
// ICMP_FILTER of linux/icmp.h, which does not go together with netinet/in.h.
constexpr int kIcmpFilter = 1;
constexpr std::uint32_t kAll = 0xffffffff;

template <typename T>
bool set(int fd, int level, int name, const T& value) {
  return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

template <std::size_t N>
bool attach_filter(int fd, std::array<sock_filter, N> code) {
  const sock_fprog program{static_cast<unsigned short>(N), code.data()};
  return set(fd, SOL_SOCKET, SO_ATTACH_FILTER, program);
}

// ARP replies that were sent to this host.
bool only_arp_replies(int fd) {
  return attach_filter(fd, std::array<sock_filter, 6>{{
                               BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
                               BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 2, 0, 3),
                               BPF_STMT(BPF_LD | BPF_H | BPF_ABS, kAncillary + SKF_AD_PKTTYPE),
                               BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_HOST, 0, 1),
                               BPF_STMT(BPF_RET | BPF_K, kAll),
                               BPF_STMT(BPF_RET | BPF_K, 0),
                           }});
}

// Echo replies that carry `identifier`: the answers to other programs' pings are not our load.
bool only_our_echoes(int fd, bool ipv6, std::uint16_t identifier) {
  if (ipv6)
    return attach_filter(fd, std::array<sock_filter, 4>{{
                                 BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 4),
                                 BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, identifier, 0, 1),
                                 BPF_STMT(BPF_RET | BPF_K, kAll),
                                 BPF_STMT(BPF_RET | BPF_K, 0),
                             }});
  return attach_filter(fd, std::array<sock_filter, 5>{{
                               BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
                               BPF_STMT(BPF_LD | BPF_H | BPF_IND, 4),
                               BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, identifier, 0, 1),
                               BPF_STMT(BPF_RET | BPF_K, kAll),
                               BPF_STMT(BPF_RET | BPF_K, 0),
                           }});
}

bool only_icmpv6_type(int fd, std::uint8_t type) {
  icmp6_filter filter;
  ICMP6_FILTER_SETBLOCKALL(&filter);
  ICMP6_FILTER_SETPASS(type, &filter);
  return set(fd, IPPROTO_ICMPV6, ICMP6_FILTER, filter);
}

FileDescriptor raw_socket(int family, int type, int protocol) {
  FileDescriptor fd(socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
  if (fd && !set(fd.get(), SOL_SOCKET, SO_TIMESTAMPNS, 1)) fd.reset();
  return fd;
}

FileDescriptor icmpv6_socket(std::uint8_t type) {
  FileDescriptor fd = raw_socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6);
  const bool ready = fd && only_icmpv6_type(fd.get(), type) &&
                     set(fd.get(), IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) &&
                     set(fd.get(), IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
  if (!ready) fd.reset();
  return fd;
}

Failure<Error> cannot_open() {
  return fail_errno("cannot open a raw socket to probe addresses", errno);
}

Status sent(ssize_t done, std::size_t size) {
  if (done == static_cast<ssize_t>(size)) return Ok{};
  return fail_with(errno_text(done < 0 ? errno : EMSGSIZE));
}

// What the kernel says of a packet beside its bytes.
struct Ancillary {
  std::chrono::nanoseconds wall{0};
  int ifindex = 0, hop_limit = 0;
};

template <typename T>
T content_of(const cmsghdr* item) {
  T value{};
  std::memcpy(&value, CMSG_DATA(item), sizeof(T));
  return value;
}

Ancillary ancillary_of(msghdr& message) {
  Ancillary found;
  for (cmsghdr* item = CMSG_FIRSTHDR(&message); item != nullptr;
       item = CMSG_NXTHDR(&message, item)) {
    if (item->cmsg_level == SOL_SOCKET && item->cmsg_type == SCM_TIMESTAMPNS) {
      const auto time = content_of<timespec>(item);
      found.wall = std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
    } else if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_PKTINFO) {
      found.ifindex = content_of<in_pktinfo>(item).ipi_ifindex;
    } else if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_PKTINFO) {
      found.ifindex = static_cast<int>(content_of<in6_pktinfo>(item).ipi6_ifindex);
    } else if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_HOPLIMIT) {
      found.hop_limit = content_of<int>(item);
    }
  }
  return found;
}

IpAddress sender_of(const sockaddr_storage& name) {
  IpAddress address;
  if (name.ss_family == AF_INET) {
    sockaddr_in from{};
    std::memcpy(&from, &name, sizeof(from));
    std::memcpy(address.bytes.data(), &from.sin_addr, 4);
  } else if (name.ss_family == AF_INET6) {
    sockaddr_in6 from{};
    std::memcpy(&from, &name, sizeof(from));
    address.ipv6 = true;
    std::memcpy(address.bytes.data(), &from.sin6_addr, 16);
  }
  return address;
}

// One message with the device it is to leave by.
template <typename Name, typename Info>
ssize_t send_on_device(int fd, Name& to, int level, int type, const Info& info, Bytes packet) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(Info))> control{};
  iovec part{const_cast<std::uint8_t*>(packet.data()), packet.size()};
  msghdr message{};
  message.msg_name = &to;
  message.msg_namelen = sizeof(to);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* item = CMSG_FIRSTHDR(&message);
  item->cmsg_level = level;
  item->cmsg_type = type;
  item->cmsg_len = CMSG_LEN(sizeof(Info));
  std::memcpy(CMSG_DATA(item), &info, sizeof(Info));
  return sendmsg(fd, &message, MSG_NOSIGNAL);
}

}  // namespace

// Bound only after the filter is in force, and to no device: binding to another one later, or
// closing, would wait for a grace period of the kernel.
Result<ProbeSocket> ProbeSocket::open_arp() {
  FileDescriptor fd = raw_socket(AF_PACKET, SOCK_DGRAM, 0);
  sockaddr_ll where{};
  where.sll_family = AF_PACKET;
  where.sll_protocol = htons(ETH_P_ARP);
  if (!fd || !only_arp_replies(fd.get()) ||
      bind(fd.get(), reinterpret_cast<const sockaddr*>(&where), sizeof(where)) != 0)
    return cannot_open();
  return ProbeSocket(Kind::arp, std::move(fd));
}

Result<ProbeSocket> ProbeSocket::open_neighbours() {
  FileDescriptor fd = icmpv6_socket(ND_NEIGHBOR_ADVERT);
  if (!fd || !set(fd.get(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, kNeighbourHopLimit) ||
      !set(fd.get(), IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0))
    return cannot_open();
  return ProbeSocket(Kind::ipv6, std::move(fd));
}

Result<ProbeSocket> ProbeSocket::open_echo(bool ipv6, std::uint16_t identifier) {
  FileDescriptor fd =
      ipv6 ? icmpv6_socket(ICMP6_ECHO_REPLY) : raw_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
  const std::uint32_t replies = ~(1u << ICMP_ECHOREPLY);
  const bool ready = fd && only_our_echoes(fd.get(), ipv6, identifier) &&
                     (ipv6 || (set(fd.get(), SOL_RAW, kIcmpFilter, replies) &&
                               set(fd.get(), IPPROTO_IP, IP_PKTINFO, 1)));
  if (!ready) return cannot_open();
  return ProbeSocket(ipv6 ? Kind::ipv6 : Kind::ipv4, std::move(fd));
}

Status ProbeSocket::send(int ifindex, Bytes packet) {
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_protocol = htons(ETH_P_ARP);
  to.sll_ifindex = ifindex;
  to.sll_halen = 6;
  std::memset(to.sll_addr, 0xff, 6);
  return sent(sendto(fd_.get(), packet.data(), packet.size(), 0,
                     reinterpret_cast<const sockaddr*>(&to), sizeof(to)),
              packet.size());
}

Status ProbeSocket::send(int ifindex, const IpAddress& address, Bytes packet) {
  if (kind_ == Kind::ipv4) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    std::memcpy(&to.sin_addr, address.bytes.data(), 4);
    in_pktinfo info{};
    info.ipi_ifindex = ifindex;
    return sent(send_on_device(fd_.get(), to, IPPROTO_IP, IP_PKTINFO, info, packet), packet.size());
  }
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  std::memcpy(&to.sin6_addr, address.bytes.data(), 16);
  // Only an address of the link needs its number; the kernel refuses it with others.
  if (IN6_IS_ADDR_LINKLOCAL(&to.sin6_addr) || IN6_IS_ADDR_MC_LINKLOCAL(&to.sin6_addr))
    to.sin6_scope_id = static_cast<std::uint32_t>(ifindex);
  in6_pktinfo info{};
  info.ipi6_ifindex = static_cast<unsigned>(ifindex);
  return sent(send_on_device(fd_.get(), to, IPPROTO_IPV6, IPV6_PKTINFO, info, packet),
              packet.size());
}

void ProbeSocket::read(const Visitor& visit) {
  for (int i = 0; i < kMostPacketsATurn; ++i)
    if (!read_one(visit)) return;
}

bool ProbeSocket::read_one(const Visitor& visit) {
  std::array<std::uint8_t, kLargestAnswer> bytes;
  alignas(cmsghdr) std::array<char, 256> control;
  sockaddr_storage name{};
  iovec part{bytes.data(), bytes.size()};
  msghdr message{};
  message.msg_name = &name;
  message.msg_namelen = sizeof(name);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = recvmsg(fd_.get(), &message, 0);
  // An error that waits on the socket (a device that went down) is taken by this call.
  if (size < 0) return errno != EAGAIN && errno != EBADF;
  const Ancillary beside = ancillary_of(message);
  Answer answer;
  answer.packet = Bytes(bytes).first(static_cast<std::size_t>(size));
  answer.hop_limit = beside.hop_limit;
  answer.ifindex = beside.ifindex;
  answer.at = beside.wall.count() == 0 ? now() : clock_.to_instant(beside.wall);
  if (kind_ == Kind::arp) {
    sockaddr_ll from{};
    std::memcpy(&from, &name, sizeof(from));
    answer.ifindex = from.sll_ifindex;
  } else {
    answer.from = sender_of(name);
  }
  visit(answer);
  return true;
}

}  // namespace hotpair::sys
