#include "agent/daemon/address_operations.hpp"

#include <algorithm>

namespace hotpair::daemon {
namespace {

using What = sys::AddressOperation::What;

// fe80::/10 of RFC 4291 section 2.5.6.
bool link_local(const config::AddressPrefix& address) {
  return address.ipv6 && address.address[0] == 0xfe && (address.address[1] & 0xc0) == 0x80;
}

}  // namespace

FindDevice devices_of(const sys::LinkMonitor& monitor) {
  return [&monitor](const std::string& name) -> std::optional<Device> {
    const sys::LinkInfo* link = monitor.find(name);
    if (link == nullptr) return std::nullopt;
    Device device{link->ifindex, link->mac, 254};
    const sys::LinkInfo* master = link->master != 0 ? monitor.find(link->master) : nullptr;
    if (master != nullptr && master->vrf_table != 0) device.table = master->vrf_table;
    return device;
  };
}

sys::InterfaceAddress to_interface_address(const FloatingAddress& address, int ifindex) {
  sys::InterfaceAddress out;
  out.ifindex = ifindex;
  out.prefix.address.ipv6 = address.address.ipv6;
  out.prefix.address.bytes = address.address.address;
  out.prefix.length = address.address.prefix_length;
  out.scope = link_local(address.address) ? sys::InterfaceAddress::Scope::link
                                          : sys::InterfaceAddress::Scope::global;
  return out;
}

sys::AddressOperation add_operation(const FloatingAddress& address, const Device& device) {
  return {What::add_address, to_interface_address(address, device.ifindex), 0, device.table};
}

sys::AddressOperation delete_operation(const FloatingAddress& address, const Device& device) {
  return {What::delete_address, to_interface_address(address, device.ifindex), 0, device.table};
}

std::optional<sys::AddressOperation> linger_operation(const FloatingAddress& address,
                                                      const Device& device, bool add) {
  if (address.address.prefix_length == (address.address.ipv6 ? 128 : 32)) return std::nullopt;
  auto subnet = to_interface_address(address, device.ifindex);
  subnet.prefix = sys::subnet_of(subnet.prefix);
  subnet.scope = sys::InterfaceAddress::Scope::link;
  return sys::AddressOperation{add ? What::add_route : What::delete_route, subnet, kLingerMetric,
                               device.table};
}

sys::AddressOperation placeholder_operation(agent::ChassisId self, const Device& device, bool add) {
  sys::InterfaceAddress address;
  address.ifindex = device.ifindex;
  address.prefix.address.bytes = {169, 254, 254, static_cast<std::uint8_t>(self)};
  address.prefix.length = 32;
  address.scope = sys::InterfaceAddress::Scope::link;
  return {add ? What::add_address : What::delete_address, address, 0, device.table};
}

std::vector<std::string> distinct_devices(const std::vector<FloatingAddress>& addresses) {
  std::vector<std::string> devices;
  for (const auto& address : addresses)
    if (std::find(devices.begin(), devices.end(), address.device) == devices.end())
      devices.push_back(address.device);
  return devices;
}

std::vector<sys::AddressOperation> withdraw_everything(const NodePlan& plan,
                                                       const FindDevice& find) {
  std::vector<sys::AddressOperation> operations;
  for (const auto& address : plan.addresses) {
    const auto device = find(address.device);
    if (!device) continue;
    operations.push_back(delete_operation(address, *device));
    if (const auto route = linger_operation(address, *device, false)) operations.push_back(*route);
  }
  for (const auto& name : distinct_devices(plan.addresses))
    if (const auto device = find(name))
      operations.push_back(placeholder_operation(plan.node.self, *device, false));
  return operations;
}

}  // namespace hotpair::daemon
