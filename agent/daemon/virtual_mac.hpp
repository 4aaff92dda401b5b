// Virtual MAC addresses: which redundant interfaces have one, what their macvlans are called and
// which MAC address they carry. Pure; the same on both nodes, whatever the devices are called there
// and in whatever order cluster.yaml names the interfaces.
//
//   device  hv-<interface>; a name too long for the kernel's 15 bytes is cut and ends in a checksum
//   MAC     02:48:50:gg:gg:ii   gg:gg the group id, ii a checksum of the interface's name (FNV-1a,
//           folded to 8 bits), the next free one where two names of the cluster share it
//
// 02 is the bit of locally administered addresses (IEEE 802 section 8.4). An interface that is
// added changes nobody else's address, unless the two share a checksum.
#pragma once

#include <string>
#include <vector>

#include "platform/config/config.hpp"
#include "platform/linux/ip_address.hpp"

namespace hotpair::daemon {

struct VirtualDevice {
  std::string interface;  // the cluster's name
  std::string name;       // of the macvlan
  std::string parent;     // this box's device
  sys::MacAddress mac{};
  friend bool operator==(const VirtualDevice&, const VirtualDevice&) = default;
};

// One for each redundant interface with virtual_mac, by name.
std::vector<VirtualDevice> virtual_devices(const config::Config& config);

std::string virtual_device_name(const std::string& interface);

// Whether a device of this name and MAC address is one of ours: of this group.
bool is_virtual_device(const std::string& name, const sys::MacAddress& mac, int group);

}  // namespace hotpair::daemon
