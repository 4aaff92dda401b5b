#include "agent/daemon/ethernet_frame.hpp"

namespace hotpair::daemon {
namespace {

constexpr std::uint16_t kVlanTagType = 0x8100;
constexpr std::uint16_t kVlanIdMask = 0x0fff;

sys::MacAddress group_address(std::uint32_t prefix, std::uint16_t group) {
  sys::MacAddress mac{};
  store_be<std::uint32_t>(mac.data(), prefix);
  store_be<std::uint16_t>(mac.data() + 4, group);
  return mac;
}

}  // namespace

sys::MacAddress heartbeat_destination(std::uint16_t group) {
  return group_address(kHeartbeatPrefix, group);
}

sys::MacAddress cluster_network_destination(std::uint16_t group) {
  return group_address(kClusterNetworkPrefix, group);
}

void write_ethernet_header(const EthernetHeader& header, MutableBytes out) {
  ByteWriter writer(out.first(kEthernetHeaderSize));
  writer.put(Bytes(header.destination));
  writer.put(Bytes(header.source));
  writer.u16(kVlanTagType);
  writer.u16(static_cast<std::uint16_t>(header.priority << 13 | (header.vlan & kVlanIdMask)));
  writer.u16(header.ethertype);
}

}  // namespace hotpair::daemon
