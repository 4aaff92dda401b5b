#include "tools/bench/kernel/packet_traffic.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "platform/base/bytes.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::bench::kernel {
namespace {

constexpr int kSendBuffer = 8 << 20;
constexpr std::size_t kLongest = sizeof(iphdr) + sizeof(tcphdr) + 16;

// What each packet of a short connection is; both directions send a few bytes.
struct Step {
  bool reply;
  std::uint8_t flags;
  std::uint32_t sequence, acknowledges;  // from the two initial ones on
  std::size_t bytes;
};
constexpr std::uint32_t kClientStart = 1000, kServerStart = 5000;
constexpr std::array<Step, PacketTraffic::kSteps> kConnection = {{
    {false, TH_SYN, 0, 0, 0},
    {true, TH_SYN | TH_ACK, 0, 1, 0},
    {false, TH_ACK, 1, 1, 0},
    {false, TH_ACK | TH_PUSH, 1, 1, 10},
    {true, TH_ACK | TH_PUSH, 1, 11, 10},
    {false, TH_ACK | TH_FIN, 11, 11, 0},
    {true, TH_ACK | TH_FIN, 11, 12, 0},
    {false, TH_ACK, 12, 12, 0},
}};

}  // namespace

PacketFlow flow_of(std::uint32_t number, std::uint8_t protocol) {
  return {.client = 0x64600001u + (number >> 15),
          .server = 0xc6120001u + number % 251,
          .client_port = static_cast<std::uint16_t>(0x8000 | (number & 0x7fff)),
          .server_port = static_cast<std::uint16_t>(protocol == IPPROTO_TCP ? 443 : 53)};
}

struct PacketTraffic::Batch {
  std::size_t used = 0;
  std::array<std::array<std::uint8_t, kLongest>, kBatch> bytes{};
  std::array<sockaddr_in, kBatch> to{};
  std::array<iovec, kBatch> parts{};
  std::array<mmsghdr, kBatch> headers{};
};

PacketTraffic::PacketTraffic(sys::FileDescriptor socket)
    : socket_(std::move(socket)), batch_(std::make_shared<Batch>()) {
  for (std::size_t i = 0; i < kBatch; ++i) {
    batch_->to[i].sin_family = AF_INET;
    msghdr& header = batch_->headers[i].msg_hdr;
    header.msg_name = &batch_->to[i];
    header.msg_namelen = sizeof(sockaddr_in);
    header.msg_iov = &batch_->parts[i];
    header.msg_iovlen = 1;
  }
}

// A device of its own, so that the cable of the two ends carries nothing else. Any rule that asks
// for a connection's state makes the box track.
Status PacketTraffic::prepare(const TwoBoxes& boxes, int box) {
  const std::vector<std::vector<std::string>> commands = {
      {"ip", "link", "add", "traffic0", "type", "veth", "peer", "name", "traffic1"},
      {"ip", "link", "set", "traffic0", "arp", "off", "up"},
      {"ip", "link", "set", "traffic1", "up"},
      {"ip", "route", "add", "default", "dev", "traffic0"},
      {"nft",
       "table ip traffic { chain out { type filter hook output priority 0; ct state new accept; }; "
       "}; table netdev traffic { chain out { type filter hook egress device traffic0 priority 0; "
       "drop; }; }"}};
  for (const auto& command : commands)
    if (Status done = boxes.run(box, command); !done.ok()) return done;
  return Ok{};
}

Result<PacketTraffic> PacketTraffic::open(const TwoBoxes& boxes, int box) {
  const Inside inside(boxes, box);
  sys::FileDescriptor socket(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
  if (!socket) return sys::fail_errno("cannot open a raw socket; run it as root", errno);
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUFFORCE, &kSendBuffer, sizeof kSendBuffer);
  return PacketTraffic(std::move(socket));
}

void PacketTraffic::begin(std::uint32_t number) {
  add(number, number % 2 == 0 ? IPPROTO_TCP : IPPROTO_UDP, 0);
}

void PacketTraffic::tcp(std::uint32_t number, unsigned step) {
  add(number, IPPROTO_TCP, step);
}

// The kernel fills in the length, the checksum and the identification (raw(7)); it checks those of
// TCP and UDP only of what it receives.
void PacketTraffic::add(std::uint32_t number, std::uint8_t protocol, unsigned step) {
  const Step& what = kConnection[step];
  const PacketFlow flow = flow_of(number, protocol);
  const std::size_t at = batch_->used++;
  std::uint8_t* const packet = batch_->bytes[at].data();
  std::memset(packet, 0, kLongest);
  packet[0] = 0x45;
  packet[8] = 64;
  packet[9] = protocol;
  store_be(packet + 12, what.reply ? flow.server : flow.client);
  store_be(packet + 16, what.reply ? flow.client : flow.server);
  std::uint8_t* const inner = packet + sizeof(iphdr);
  store_be(inner, what.reply ? flow.server_port : flow.client_port);
  store_be(inner + 2, what.reply ? flow.client_port : flow.server_port);
  std::size_t size = sizeof(iphdr) + sizeof(udphdr);
  if (protocol == IPPROTO_TCP) {
    store_be(inner + 4, (what.reply ? kServerStart : kClientStart) + what.sequence);
    const std::uint32_t heard = (what.reply ? kClientStart : kServerStart) + what.acknowledges;
    store_be(inner + 8, (what.flags & TH_ACK) != 0 ? heard : 0u);
    inner[12] = sizeof(tcphdr) / 4 << 4;
    inner[13] = what.flags;
    store_be<std::uint16_t>(inner + 14, 0xffff);
    size = sizeof(iphdr) + sizeof(tcphdr) + what.bytes;
  } else {
    store_be<std::uint16_t>(inner + 4, sizeof(udphdr));
  }
  store_be(packet + 2, static_cast<std::uint16_t>(size));
  std::memcpy(&batch_->to[at].sin_addr, packet + 16, sizeof(in_addr));
  batch_->parts[at] = {packet, size};
  if (batch_->used == kBatch) flush();
}

void PacketTraffic::flush() {
  const std::size_t count = std::exchange(batch_->used, 0);
  for (std::size_t sent = 0; sent < count;) {
    const int taken = ::sendmmsg(socket_.get(), batch_->headers.data() + sent,
                                 static_cast<unsigned>(count - sent), 0);
    if (taken > 0) {
      sent += static_cast<std::size_t>(taken);
    } else if (errno != EINTR) {
      const char* const what = errno == EPERM ? "the box drops packets: its connection table is "
                                                "full (see dmesg), or a rule drops them"
                                              : "the box takes no packets";
      if (outcome_.ok()) outcome_ = sys::fail_errno(what, errno);
      return;
    }
  }
}

}  // namespace hotpair::bench::kernel
