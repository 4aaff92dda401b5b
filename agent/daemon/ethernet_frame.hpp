// The Ethernet envelope of a sealed frame: destination 03:48:50:00:gg:gg (group id, big-endian) for
// heartbeats and 03:48:50:01:gg:gg for the cluster network, the NIC's own source, one 802.1Q tag
// (priority 7, and 0) and the ethertype. The destinations differ so that the kernel's filters keep
// the one out of the queue of the other.
#pragma once

#include <cstdint>

#include "platform/base/bytes.hpp"
#include "platform/linux/ip_address.hpp"

namespace hotpair::daemon {

constexpr std::size_t kEthernetHeaderSize = 18;         // with one tag
constexpr std::uint32_t kHeartbeatPrefix = 0x03485000;  // of the destination; the group follows

constexpr std::uint32_t kClusterNetworkPrefix = 0x03485001;

sys::MacAddress heartbeat_destination(std::uint16_t group);
sys::MacAddress cluster_network_destination(std::uint16_t group);

struct EthernetHeader {
  sys::MacAddress destination{}, source{};
  std::uint16_t vlan = 999, ethertype = 0x9890;
  std::uint8_t priority = 7;  // 802.1p
};

// Writes kEthernetHeaderSize bytes; `out` has room for them.
void write_ethernet_header(const EthernetHeader& header, MutableBytes out);

}  // namespace hotpair::daemon
