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
  bool up = false;            // by whoever administers it
  bool macvlan = false;       // not one that only has the name of ours
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

sys::AddressOperation link_operation(sys::AddressOperation::What what, const Device& device);

// One claim's operations, in the order that lets a macvlan carry traffic from its first moment on:
// IPv4 addresses, which can be given to a device that is down, then the macvlans up, then their
// link-local addresses, without which the kernel asks for no neighbour, and the other IPv6 ones.
class ClaimBatch {
 public:
  void add(const FloatingAddress& address, std::size_t index, const Device& device);
  void finish();  // no more are added

  struct Place {
    std::size_t index, operation;  // of the address as given; among operations()
  };
  const std::vector<sys::AddressOperation>& operations() const { return operations_; }
  const std::vector<Place>& addresses() const { return addresses_; }
  // Whether the device of an address could be set up, where that was asked for.
  bool carried(std::size_t operation, const std::vector<sys::OperationResult>& results) const;

 private:
  void raise(const Device& device, bool ipv6);

  std::vector<sys::AddressOperation> operations_, raised_, late_;
  std::vector<Place> addresses_, late_addresses_;
};

// Each device once, in order: those the addresses stand on, and which of these are the box's own or
// macvlans of ours.
std::vector<std::string> distinct_devices(const std::vector<FloatingAddress>& addresses);
std::vector<std::string> own_devices(const std::vector<FloatingAddress>& addresses);
std::vector<std::string> macvlans(const std::vector<FloatingAddress>& addresses);

// What gives every address back: macvlans down first, each of which silences all it carries, then
// address by address.
std::vector<sys::AddressOperation> give_back(const std::vector<FloatingAddress>& addresses,
                                             const FindDevice& find);

// Everything that may have been left behind on existing devices: macvlans, addresses, lingering
// routes, placeholders.
std::vector<sys::AddressOperation> withdraw_everything(const NodePlan& plan,
                                                       const FindDevice& find);

}  // namespace hotpair::daemon
