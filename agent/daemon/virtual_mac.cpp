#include "agent/daemon/virtual_mac.hpp"

#include <algorithm>
#include <bitset>
#include <cstdio>

namespace hotpair::daemon {
namespace {

constexpr std::size_t kLongestDevice = 15;
constexpr const char* kPrefix = "hv-";
constexpr std::array<std::uint8_t, 3> kVendor = {0x02, 0x48, 0x50};  // locally administered, "HP"

// FNV-1a, 32 bits.
std::uint32_t checksum(const std::string& text) {
  std::uint32_t sum = 2166136261u;
  for (const char c : text) sum = (sum ^ static_cast<std::uint8_t>(c)) * 16777619u;
  return sum;
}

std::uint8_t folded(std::uint32_t sum) {
  sum ^= sum >> 16;
  return static_cast<std::uint8_t>(sum ^ (sum >> 8));
}

sys::MacAddress mac_of(int group, std::uint8_t index) {
  return {kVendor[0],
          kVendor[1],
          kVendor[2],
          static_cast<std::uint8_t>(group >> 8),
          static_cast<std::uint8_t>(group),
          index};
}

}  // namespace

std::string virtual_device_name(const std::string& interface) {
  std::string name = kPrefix + interface;
  if (name.size() <= kLongestDevice) return name;
  char tail[8];
  std::snprintf(tail, sizeof tail, "-%04x", checksum(interface) & 0xffff);
  return name.substr(0, kLongestDevice - 5) + tail;
}

std::vector<VirtualDevice> virtual_devices(const config::Config& config) {
  std::vector<VirtualDevice> devices;
  for (const auto& redundant : config.cluster.redundant_interfaces)
    if (redundant.virtual_mac)
      devices.push_back({redundant.interface,
                         virtual_device_name(redundant.interface),
                         config.node.device(redundant.interface),
                         {}});
  std::sort(devices.begin(), devices.end(),
            [](const auto& a, const auto& b) { return a.interface < b.interface; });
  std::bitset<256> taken;
  for (VirtualDevice& device : devices) {
    std::uint8_t index = folded(checksum(device.interface));
    while (taken.test(index)) ++index;  // at most 64 interfaces: one is free
    taken.set(index);
    device.mac = mac_of(config.cluster.group_id, index);
  }
  return devices;
}

bool is_virtual_device(const std::string& name, const sys::MacAddress& mac, int group) {
  const auto ours = mac_of(group, 0);
  return name.starts_with(kPrefix) && std::equal(mac.begin(), mac.begin() + 5, ours.begin());
}

}  // namespace hotpair::daemon
