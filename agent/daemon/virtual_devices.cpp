#include "agent/daemon/virtual_devices.hpp"

#include <algorithm>

#include "platform/linux/sysctl.hpp"

namespace hotpair::daemon {
namespace {

using Setting = KernelSettings::Setting;
using sys::AddressOperation;

// Taken over from the device below; some do not exist on every kernel.
constexpr const char* kInherited[] = {
    "ipv4/forwarding",       "ipv4/accept_redirects",    "ipv4/send_redirects",
    "ipv4/secure_redirects", "ipv4/accept_source_route", "ipv4/log_martians",
    "ipv4/proxy_arp",        "ipv4/src_valid_mark",      "ipv6/disable_ipv6",
    "ipv6/forwarding",       "ipv6/accept_redirects",    "ipv6/accept_source_route"};

std::string setting_name(const std::string& key, const std::string& device) {
  return "net/" + key.substr(0, 4) + "/conf/" + device + key.substr(4);
}

std::int64_t number_of(const std::string& key, const std::string& device) {
  const auto value = sys::read_sysctl_number(setting_name(key, device));
  return value ? *value : 0;
}

// Strict filtering would drop what comes in by the macvlan while a route leads out by the device
// below, or the reverse; the kernel takes the higher of `all` and the device's own.
bool strict_reverse_path(const std::string& device) {
  return std::max(number_of("ipv4/rp_filter", "all"), number_of("ipv4/rp_filter", device)) == 1;
}

bool is_ours(const sys::LinkInfo& link, int group) {
  return link.kind == "macvlan" && is_virtual_device(link.name, link.mac, group);
}

const sys::LinkInfo* find(const std::vector<sys::LinkInfo>& links, const std::string& name) {
  const auto found = std::find_if(links.begin(), links.end(),
                                  [&](const sys::LinkInfo& link) { return link.name == name; });
  return found == links.end() ? nullptr : &*found;
}

// Of the VRF that the device belongs to: its macvlan belongs there too.
int vrf_of(const std::vector<sys::LinkInfo>& links, const sys::LinkInfo& parent) {
  for (const sys::LinkInfo& link : links)
    if (link.ifindex == parent.master && link.vrf_table != 0) return link.ifindex;
  return 0;
}

void add_unique(std::vector<std::string>& list, const std::string& name) {
  if (std::find(list.begin(), list.end(), name) == list.end()) list.push_back(name);
}

}  // namespace

DeviceWork device_work(const NodePlan& plan, const std::vector<sys::LinkInfo>& links, int group,
                       bool afresh) {
  DeviceWork work;
  const auto wanted = [&](const sys::LinkInfo& link) {
    for (const VirtualDevice& device : plan.virtual_devices) {
      const sys::LinkInfo* parent = find(links, device.parent);
      if (device.name == link.name && device.mac == link.mac && parent != nullptr &&
          parent->ifindex == link.parent)
        return true;
    }
    return false;
  };
  for (const sys::LinkInfo& link : links)
    if (is_ours(link, group) && (afresh || !wanted(link)))
      work.removals.push_back(link_operation(AddressOperation::What::delete_link,
                                             Device{link.ifindex, link.mac, 254, link.admin_up}));
  for (const VirtualDevice& device : plan.virtual_devices) {
    const sys::LinkInfo* parent = find(links, device.parent);
    if (parent == nullptr) continue;
    add_unique(work.parents, device.parent);
    const sys::LinkInfo* present = find(links, device.name);
    if (!afresh && present != nullptr && is_ours(*present, group) && wanted(*present)) continue;
    work.creations.push_back(
        {{device.name, parent->ifindex, device.mac, vrf_of(links, *parent)}, device.parent});
  }
  for (const auto& name : own_devices(plan.addresses))
    if (find(links, name) != nullptr) add_unique(work.own, name);
  return work;
}

std::vector<Setting> parent_settings(const std::string& parent) {
  std::vector<Setting> settings;
  if (number_of("ipv4/arp_ignore", parent) == 0)
    settings.push_back({setting_name("ipv4/arp_ignore", parent), "1"});
  settings.push_back({setting_name("ipv4/arp_announce", parent), "2"});
  if (strict_reverse_path(parent))
    settings.push_back({setting_name("ipv4/rp_filter", parent), "2"});
  return settings;
}

std::vector<Setting> macvlan_settings(const std::string& name, const std::string& parent) {
  std::vector<Setting> settings;
  for (const char* key : kInherited)
    if (const auto value = sys::read_sysctl(setting_name(key, parent)))
      settings.push_back({setting_name(key, name), *value});
  const auto add = [&](const char* key, const char* value) {
    settings.push_back({setting_name(key, name), value});
  };
  add("ipv4/arp_ignore", "1");
  add("ipv4/arp_announce", "2");
  add("ipv4/promote_secondaries", "1");
  if (strict_reverse_path(parent)) add("ipv4/rp_filter", "2");
  // Its link-local address comes with the claim. Only the primary's is up: it is nobody's
  // duplicate.
  add("ipv6/accept_dad", "0");
  add("ipv6/addr_gen_mode", "1");
  add("ipv6/accept_ra", "0");
  add("ipv6/autoconf", "0");
  return settings;
}

std::vector<std::string> carry_out(const DeviceWork& work, sys::AddressTable& table,
                                   KernelSettings& settings) {
  std::vector<std::string> problems;
  const auto note = [&](const Status& done) {
    if (!done) problems.push_back(done.error().message);
  };
  for (const auto& result : table.apply(work.removals, 1s))
    if (!result.ok) problems.push_back(result.text);
  for (const auto& [options, parent] : work.creations) {
    if (const auto made = sys::create_macvlan(options); !made) {
      note(made);
      continue;
    }
    for (const Setting& setting : macvlan_settings(options.name, parent))
      if (sys::read_sysctl(setting.name))  // else this kernel knows no such thing
        note(sys::write_sysctl(setting.name, setting.value));
  }
  for (const std::string& parent : work.parents) note(settings.set(parent_settings(parent)));
  // With a floating address as a subnet's first, its withdrawal would take the box's own addresses
  // of that subnet along, unless the kernel promotes them.
  for (const std::string& device : work.own)
    note(settings.set({{setting_name("ipv4/promote_secondaries", device), "1"}}));
  return problems;
}

}  // namespace hotpair::daemon
