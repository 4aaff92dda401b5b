#include <charconv>

#include "platform/base/dpdk_device.hpp"
#include "platform/config/schema.hpp"
#include "platform/config/values.hpp"

namespace hotpair::config {
namespace {

constexpr std::size_t kMaxHeartbeatInterfaces = 4;
constexpr std::size_t kMaxDevices = 8;
constexpr std::size_t kMaxDeviceText = 255;

// "net_af_packet0,iface=dps0": a driver's name, an index, arguments.
bool is_virtual_device(const std::string& name) {
  const bool driver = name.starts_with("net_") || name.starts_with("virtio_user");
  return driver && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

bool is_dpdk_device(const std::string& text) {
  if (std::any_of(text.begin(), text.end(), [](char c) { return c <= 0x20 || c >= 0x7f; }))
    return false;
  return pci_address_of(text) || is_virtual_device(text.substr(0, text.find(',')));
}

bool is_host_name(const std::string& name) {
  if (name.front() == '-' || name.front() == '.') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

std::optional<int> slot_key(const std::string& key) {
  int slot = 0;
  const char* end = key.data() + key.size();
  const auto [at, error] = std::from_chars(key.data(), end, slot);
  if (error != std::errc{} || at != end || slot < 1 || slot > kMaxSlot) return std::nullopt;
  if (std::to_string(slot) != key) return std::nullopt;
  return slot;
}

std::optional<std::string> name_key(const std::string& key) {
  if (key.empty() || key.size() > 31) return std::nullopt;
  const bool plain =
      std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '/'; });
  return plain ? std::optional(key) : std::nullopt;
}

Codec<HeartbeatInterface> heartbeat_interface_schema() {
  return object<HeartbeatInterface>({
      required(field("interface", &HeartbeatInterface::interface, device_name())),
      field("vlan", &HeartbeatInterface::vlan, integer<std::uint16_t>(1, 4094)),
      field("ethertype", &HeartbeatInterface::ethertype, ethertype()),
  });
}

Codec<ConntrackSize> conntrack_size_schema() {
  constexpr std::uint32_t kMost = 1u << 28;
  return object<ConntrackSize>({
      field("max", &ConntrackSize::max, integer<std::uint32_t>(1024, kMost)),
      field("buckets", &ConntrackSize::buckets, integer<std::uint32_t>(1024, kMost)),
  });
}

Codec<SessionSync> session_sync_schema() {
  const auto device =
      text(1, kMaxDeviceText,
           "a PCI address (0000:3b:00.1) or a DPDK device; a kernel NIC eth1 is written "
           "\"net_af_packet0,iface=eth1\"",
           is_dpdk_device);
  return object<SessionSync>({
      field("devices", &SessionSync::devices,
            list_of(device, 0, kMaxDevices, Order::matters, "devices")),
      field("lcores", &SessionSync::lcores,
            list_of(integer<unsigned>(0, 1023), 0, 128, Order::matters, "CPU numbers")),
      field("hugepages", &SessionSync::hugepages, boolean()),
      field("conntrack", &SessionSync::conntrack, conntrack_size_schema()),
  });
}

Codec<ManagementPath> management_path_schema() {
  return object<ManagementPath>({
      required(field("local", &ManagementPath::local, ip_address())),
      required(field("peer", &ManagementPath::peer, ip_address())),
      field("port", &ManagementPath::port, integer<std::uint16_t>(1, 65535)),
  });
}

Codec<Metrics> metrics_schema() {
  return object<Metrics>({required(field("listen", &Metrics::listen, listen_address()))});
}

Codec<Web> web_schema() {
  return object<Web>({
      required(field("listen", &Web::listen, listen_address())),
      field("token_file", &Web::token_file, absolute_path()),
  });
}

}  // namespace

Codec<NodeFile> node_schema() {
  const auto module = object<ModuleOverride>({
      field("priority", &ModuleOverride::priority, integer<std::uint8_t>(0, 255)),
  });
  const auto heartbeats = list_of(heartbeat_interface_schema(), 1, kMaxHeartbeatInterfaces,
                                  Order::matters, "heartbeat interfaces");
  return object<NodeFile>({
      required(field("chassis_id", &NodeFile::chassis_id, integer<int>(1, 2))),
      field("hostname", &NodeFile::hostname,
            text(1, 63, "a host name of 1 to 63 letters, digits, '-', '_' and '.'", is_host_name)),
      field("serial", &NodeFile::serial, label(1, 32)),
      field("priority", &NodeFile::priority, integer<std::uint8_t>(0, 255)),
      field("modules", &NodeFile::modules,
            map_of<int, ModuleOverride>(slot_key, "module slots from 1 to 63 as keys", module,
                                        kMaxSlot)),
      required(field("heartbeat_interfaces", &NodeFile::heartbeat_interfaces, heartbeats)),
      field("session_sync", &NodeFile::session_sync, session_sync_schema()),
      field("management_path", &NodeFile::management_path, management_path_schema()),
      field("metrics", &NodeFile::metrics, metrics_schema()),
      field("web", &NodeFile::web, web_schema()),
      field("peer_exec", &NodeFile::peer_exec, boolean()),
      field("interfaces", &NodeFile::interfaces,
            map_of<std::string, std::string>(name_key, "names of interfaces as keys", device_name(),
                                             4 * kMaxInterfaces)),
  });
}

}  // namespace hotpair::config
