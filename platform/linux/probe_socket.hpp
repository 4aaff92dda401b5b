// Raw sockets for the packets of probe_packets.hpp: sending on a named device, and answers with the
// device they came in on and the kernel's receive time. One socket serves every device. What is no
// answer is dropped by a filter in the kernel. Needs CAP_NET_RAW; never blocks; one thread.
#pragma once

#include <cstdint>
#include <functional>

#include "platform/base/bytes.hpp"
#include "platform/base/result.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/file_descriptor.hpp"
#include "platform/linux/ip_address.hpp"

namespace hotpair::sys {

class ProbeSocket {
 public:
  struct Answer {
    Bytes packet;    // valid during the visit
    IpAddress from;  // IPv4 and IPv6 sockets
    int ifindex = 0;
    int hop_limit = 0;  // IPv6 sockets
    Instant at;
  };
  using Visitor = std::function<void(const Answer& answer)>;

  static Result<ProbeSocket> open_arp();
  static Result<ProbeSocket> open_neighbours();
  static Result<ProbeSocket> open_echo(bool ipv6, std::uint16_t identifier);

  int fd() const { return fd_.get(); }

  // ARP: broadcast on the device.
  Status send(int ifindex, Bytes packet);
  // IPv4 and IPv6; `ifindex` 0: wherever the routing table leads.
  Status send(int ifindex, const IpAddress& to, Bytes packet);

  // At most 64 packets a call.
  void read(const Visitor& visit);

 private:
  enum class Kind : std::uint8_t { arp, ipv4, ipv6 };
  ProbeSocket(Kind kind, FileDescriptor fd) : kind_(kind), fd_(std::move(fd)) {}
  bool read_one(const Visitor& visit);

  Kind kind_;
  FileDescriptor fd_;
  WallClockMapper clock_;
};

}  // namespace hotpair::sys
