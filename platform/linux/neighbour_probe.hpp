// Asking a neighbour directly whether it sends to us, and hearing what neighbours say of addresses:
// unicast ARP requests (RFC 826; RFC 1122 section 2.3.2.1) and neighbour solicitations (RFC 4861
// section 4.3), their answers, and claims of addresses by others. Builders and parsers are pure;
// what is received is hostile.
#pragma once

#include <array>
#include <functional>
#include <optional>

#include "platform/base/bytes.hpp"
#include "platform/base/result.hpp"
#include "platform/linux/announce.hpp"
#include "platform/linux/file_descriptor.hpp"
#include "platform/linux/ip_address.hpp"
#include "platform/linux/netlink_neigh.hpp"

namespace hotpair::sys {

// "Who has `to.address`?", asked of `to.mac` alone by `mac` in the name of `address`.
std::array<std::uint8_t, kArpFrameSize> arp_probe(const MacAddress& mac, const IpAddress& address,
                                                  const Neighbour& to);
std::array<std::uint8_t, kAdvertisementFrameSize> solicitation_probe(const MacAddress& mac,
                                                                     const IpAddress& address,
                                                                     const Neighbour& to);

// What somebody says: that `address` is at `mac`.
struct NeighbourWord {
  int ifindex = 0;
  IpAddress address;
  MacAddress mac{};
  bool answer = false;  // a reply; otherwise a request or an announcement
};
std::optional<NeighbourWord> parse_arp(Bytes frame);  // from the Ethernet header on
std::optional<NeighbourWord> parse_advertisement(Bytes icmp_message);  // from the type on

// Hears ARP and neighbour advertisements on every device of the namespace, and sends. One thread.
class NeighbourSocket {
 public:
  using Callback = std::function<void(const NeighbourWord&)>;

  static Result<NeighbourSocket> open();  // needs CAP_NET_RAW

  int arp_fd() const { return arp_.get(); }
  int icmp_fd() const { return icmp_.get(); }
  void receive(const Callback& callback);  // bounded, never blocks
  // A whole frame out of a device. False: it did not leave.
  bool send(int ifindex, Bytes frame) const;

 private:
  NeighbourSocket(FileDescriptor arp, FileDescriptor icmp)
      : arp_(std::move(arp)), icmp_(std::move(icmp)) {}
  FileDescriptor arp_, icmp_;
};

}  // namespace hotpair::sys
