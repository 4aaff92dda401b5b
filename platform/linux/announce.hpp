// Telling the neighbours that an address has moved: gratuitous ARP (RFC 5227 section 3) and
// unsolicited neighbour advertisements (RFC 4861 sections 4.4 and 7.2.6). The builders are pure.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "platform/base/result.hpp"
#include "platform/linux/file_descriptor.hpp"
#include "platform/linux/ip_address.hpp"

namespace hotpair::sys {

constexpr std::size_t kArpFrameSize = 14 + 28;
constexpr std::size_t kAdvertisementFrameSize = 14 + 40 + 32;

// An ARP announcement: a broadcast request whose sender and target address are both `address`
// (IPv4).
std::array<std::uint8_t, kArpFrameSize> gratuitous_arp(const MacAddress& mac,
                                                       const IpAddress& address);

// To all nodes, override flag set, with the target link-layer address option. `router` must be true
// when the box forwards IPv6: a neighbour that sees it fall drops its default route (RFC 4861
// section 7.2.5).
std::array<std::uint8_t, kAdvertisementFrameSize> unsolicited_advertisement(
    const MacAddress& mac, const IpAddress& address, bool router);

struct Announcement {
  int ifindex = 0;
  MacAddress mac{};
  IpAddress address;
  bool router = true;  // IPv6 only
};

class Announcer {
 public:
  static Result<Announcer> open();  // needs CAP_NET_RAW

  // Sends one frame for each; never blocks. Returns how many left; the first reason why one did not
  // stands in last_error().
  std::size_t send(std::span<const Announcement> announcements);
  const std::string& last_error() const { return last_error_; }

 private:
  explicit Announcer(FileDescriptor socket) : socket_(std::move(socket)) {}
  FileDescriptor socket_;
  std::string last_error_;
};

}  // namespace hotpair::sys
