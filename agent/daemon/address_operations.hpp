// From floating addresses to the kernel operations that claim them, give them back, or let their
// subnets linger. Pure: devices are looked up through a function.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/types.hpp"
#include "agent/daemon/node_config.hpp"
#include "platform/linux/netlink_addr.hpp"
#include "platform/linux/netlink_link.hpp"

namespace hotpair::daemon {

constexpr std::uint32_t kLingerMetric = 4096;  // behind every route an operator is likely to have

struct Device {
  int ifindex = 0;
  sys::MacAddress mac{};
  std::uint32_t table = 254;  // where its on-link routes live: main, or its VRF's
};
using FindDevice = std::function<std::optional<Device>(const std::string& device)>;

FindDevice devices_of(const sys::LinkMonitor& monitor);

sys::InterfaceAddress to_interface_address(const FloatingAddress& address, int ifindex);
sys::AddressOperation add_operation(const FloatingAddress& address, const Device& device);
sys::AddressOperation delete_operation(const FloatingAddress& address, const Device& device);

// The subnet's on-link route of low preference; none for a host address (/32, /128), whose only
// neighbour is itself.
std::optional<sys::AddressOperation> linger_operation(const FloatingAddress& address,
                                                      const Device& device, bool add);
sys::AddressOperation placeholder_operation(agent::ChassisId self, const Device& device, bool add);

// Each device once, in order.
std::vector<std::string> distinct_devices(const std::vector<FloatingAddress>& addresses);

// Everything that may have been left behind on existing devices: addresses, lingering routes,
// placeholders.
std::vector<sys::AddressOperation> withdraw_everything(const NodePlan& plan,
                                                       const FindDevice& find);

}  // namespace hotpair::daemon
