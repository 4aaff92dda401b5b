#include "agent/daemon/address_operations.hpp"

#include <algorithm>

namespace hotpair::daemon {
namespace {

using What = sys::AddressOperation::What;

// fe80::/10 of RFC 4291 section 2.5.6.
bool link_local(const config::AddressPrefix& address) {
  return address.ipv6 && address.address[0] == 0xfe && (address.address[1] & 0xc0) == 0x80;
}

std::vector<std::string> devices_where(const std::vector<FloatingAddress>& addresses,
                                       bool (*wanted)(const FloatingAddress&)) {
  std::vector<std::string> devices;
  for (const auto& address : addresses)
    if (wanted(address) &&
        std::find(devices.begin(), devices.end(), address.device) == devices.end())
      devices.push_back(address.device);
  return devices;
}

// fe80::/64 with the modified EUI-64 of the MAC address (RFC 4291 appendix A): the kernel would
// make the same, but only when a worker of its own gets to it.
sys::AddressOperation link_local_operation(const Device& device) {
  sys::InterfaceAddress address;
  address.ifindex = device.ifindex;
  address.prefix.address.ipv6 = true;
  const auto& mac = device.mac;
  address.prefix.address.bytes = {0xfe,   0x80,   0,
                                  0,      0,      0,
                                  0,      0,      static_cast<std::uint8_t>(mac[0] ^ 0x02),
                                  mac[1], mac[2], 0xff,
                                  0xfe,   mac[3], mac[4],
                                  mac[5]};
  address.prefix.length = 64;
  address.scope = sys::InterfaceAddress::Scope::link;
  return {What::add_address, address, 0, device.table};
}

}  // namespace

FindDevice devices_of(const sys::LinkMonitor& monitor) {
  return [&monitor](const std::string& name) -> std::optional<Device> {
    const sys::LinkInfo* link = monitor.find(name);
    if (link == nullptr) return std::nullopt;
    Device device{link->ifindex, link->mac, 254, link->admin_up, link->kind == "macvlan"};
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

sys::AddressOperation link_operation(What what, const Device& device) {
  sys::AddressOperation operation;
  operation.what = what;
  operation.address.ifindex = device.ifindex;
  return operation;
}

void ClaimBatch::add(const FloatingAddress& address, std::size_t index, const Device& device) {
  if (address.virtual_mac) raise(device, address.address.ipv6);
  const bool late = address.virtual_mac && address.address.ipv6;
  auto& operations = late ? late_ : operations_;
  (late ? late_addresses_ : addresses_).push_back({index, operations.size()});
  operations.push_back(add_operation(address, device));
}

void ClaimBatch::raise(const Device& device, bool ipv6) {
  const auto has = [&](const auto& list, What what) {
    return std::any_of(list.begin(), list.end(), [&](const auto& operation) {
      return operation.what == what && operation.address.ifindex == device.ifindex;
    });
  };
  if (!has(raised_, What::link_up)) raised_.push_back(link_operation(What::link_up, device));
  if (ipv6 && !has(late_, What::add_address)) late_.push_back(link_local_operation(device));
}

void ClaimBatch::finish() {
  operations_.insert(operations_.end(), raised_.begin(), raised_.end());
  for (Place place : late_addresses_) {
    place.operation += operations_.size();
    addresses_.push_back(place);
  }
  operations_.insert(operations_.end(), late_.begin(), late_.end());
}

bool ClaimBatch::carried(std::size_t operation,
                         const std::vector<sys::OperationResult>& results) const {
  for (std::size_t i = 0; i < operations_.size(); ++i)
    if (operations_[i].what == What::link_up && !results[i].ok &&
        operations_[i].address.ifindex == operations_[operation].address.ifindex)
      return false;
  return true;
}

std::vector<std::string> distinct_devices(const std::vector<FloatingAddress>& addresses) {
  return devices_where(addresses, [](const auto&) { return true; });
}

std::vector<std::string> own_devices(const std::vector<FloatingAddress>& addresses) {
  return devices_where(addresses, [](const auto& address) { return !address.virtual_mac; });
}

std::vector<std::string> macvlans(const std::vector<FloatingAddress>& addresses) {
  return devices_where(addresses, [](const auto& address) { return address.virtual_mac; });
}

std::vector<sys::AddressOperation> give_back(const std::vector<FloatingAddress>& addresses,
                                             const FindDevice& find) {
  std::vector<sys::AddressOperation> operations;
  for (const auto& name : macvlans(addresses))
    if (const auto device = find(name); device && device->macvlan)
      operations.push_back(link_operation(What::link_down, *device));
  for (const auto& address : addresses)
    if (const auto device = find(address.device))
      operations.push_back(delete_operation(address, *device));
  return operations;
}

std::vector<sys::AddressOperation> withdraw_everything(const NodePlan& plan,
                                                       const FindDevice& find) {
  std::vector<sys::AddressOperation> operations;
  for (const auto& name : macvlans(plan.addresses))
    if (const auto device = find(name); device && device->macvlan)
      operations.push_back(link_operation(What::delete_link, *device));
  for (const auto& address : plan.addresses) {
    const auto device = address.virtual_mac ? std::nullopt : find(address.device);
    if (!device) continue;
    operations.push_back(delete_operation(address, *device));
    if (const auto route = linger_operation(address, *device, false)) operations.push_back(*route);
  }
  for (const auto& name : own_devices(plan.addresses))
    if (const auto device = find(name))
      operations.push_back(placeholder_operation(plan.node.self, *device, false));
  return operations;
}

}  // namespace hotpair::daemon
