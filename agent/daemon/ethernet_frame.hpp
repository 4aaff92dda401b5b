// The Ethernet envelope of a heartbeat: destination 03:48:50:00:gg:gg (group id, big-endian), the
// NIC's own source, one 802.1Q tag (priority 7) and the ethertype; what follows is the
// association's frame.
#pragma once

#include <cstdint>

#include "platform/base/bytes.hpp"
#include "platform/linux/ip_address.hpp"

namespace hotpair::daemon {

constexpr std::size_t kEthernetHeaderSize = 18;         // with one tag
constexpr std::uint32_t kHeartbeatPrefix = 0x03485000;  // of the destination; the group follows

sys::MacAddress heartbeat_destination(std::uint16_t group);

struct EthernetHeader {
  sys::MacAddress destination{}, source{};
  std::uint16_t vlan = 999, ethertype = 0x9890;
};

// Writes kEthernetHeaderSize bytes; `out` has room for them.
void write_ethernet_header(const EthernetHeader& header, MutableBytes out);

}  // namespace hotpair::daemon
