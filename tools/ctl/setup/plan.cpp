#include "tools/ctl/setup/plan.hpp"

#include <algorithm>
#include <map>

#include "platform/base/dpdk_device.hpp"
#include "tools/ctl/yaml_text.hpp"

namespace hotpair::ctl::setup {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// "ha0:999" or "ha0"; device names have no colon.
std::string heartbeat_line(const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string vlan = colon == std::string::npos ? "999" : text.substr(colon + 1);
  return "  - { interface: " + quoted(text.substr(0, colon)) + ", vlan: " + vlan + " }\n";
}

std::string dpdk_device(const std::string& text) {
  if (const auto address = pci_address_of(text))
    return *address + text.substr(std::min(text.find(','), text.size()));
  const bool whole = text.starts_with("net_") || text.starts_with("virtio_user");
  return whole ? text : "net_af_packet0,iface=" + text;
}

// Its driver loads a program into the kernel and looks for it there by its number.
const char* const kAfXdpRights =
    "# For a session-sync port of af_xdp, whose program hotpair-dataplane loads into the kernel.\n"
    "[Service]\nCapabilityBoundingSet=CAP_SYS_ADMIN\nSystemCallFilter=bpf\n";

std::string node_text(const Answers& answers, bool hugepages) {
  std::string text =
      "# This box's own; never synchronised. Every key: man node.yaml, or hotpair keys\n";
  text += "chassis_id: " + std::to_string(answers.chassis_id) + "\nheartbeat_interfaces:\n";
  for (const std::string& heartbeat : answers.heartbeats) text += heartbeat_line(heartbeat);
  std::vector<std::string> sync;
  for (const std::string& device : answers.sync) sync.push_back(quoted(dpdk_device(device)));
  text += "session_sync:\n  devices: [" + joined(sync) + "]\n";
  text += std::string("  hugepages: ") + (hugepages ? "true" : "false") + "\n";
  if (!answers.devices.empty()) text += "interfaces:\n";
  for (const Pair& device : answers.devices)
    text += "  " + quoted(device.first) + ": " + quoted(device.second) + "\n";
  return text;
}

std::string cluster_text(const Answers& answers, const Places& places) {
  std::string text = "# The same on both boxes. Every key: man cluster.yaml, or hotpair keys\n";
  text += "group_id: " + std::to_string(answers.group_id) + "\n";
  if (!answers.group_name.empty()) text += "group_name: " + quoted(answers.group_name) + "\n";
  if (places.config_dir != Places{}.config_dir)
    text += "password_file: " + quoted(places.config_dir + "/password") + "\n";
  text += std::string("session_pickup: { enabled: ") + (answers.pickup ? "true" : "false") + " }\n";
  std::vector<std::string> order;
  std::map<std::string, std::vector<std::string>> of;
  for (const Pair& address : answers.addresses) {
    if (!of.contains(address.first)) order.push_back(address.first);
    of[address.first].push_back(quoted(address.second));
  }
  if (!order.empty()) text += "redundant_interfaces:\n";
  for (const std::string& name : order)
    text += "  - { interface: " + quoted(name) + ", addresses: [" + joined(of[name]) + "] }\n";
  return text;
}

}  // namespace

std::optional<Pair> parse_pair(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) return std::nullopt;
  return Pair{text.substr(0, equals), text.substr(equals + 1)};
}

Result<Plan> make_plan(const Answers& answers, const Places& places) {
  Plan plan;
  for (const std::string& device : answers.sync)
    if (const auto address = pci_address_of(device)) plan.nics.push_back(*address);
  const bool hugepages = !plan.nics.empty() && answers.hugepages > 0;
  plan.node_text = node_text(answers, hugepages);
  plan.cluster_text = answers.cluster_text.value_or(cluster_text(answers, places));
  plan.files = {
      {places.config_dir + "/node.yaml", 0644, plan.node_text, "this box"},
      {places.config_dir + "/cluster.yaml", 0644, plan.cluster_text, "the same on both boxes"},
      {places.config_dir + "/password", 0600, answers.password + "\n", "the same on both boxes"}};
  if (hugepages)
    plan.files.push_back(
        {places.sysctl_dir + "/91-hotpair-hugepages.conf", 0644,
         "# For hotpair-dataplane, whose NIC is driven by DPDK.\nvm.nr_hugepages = " +
             std::to_string(answers.hugepages) + "\n",
         "hugepages at each boot"});
  if (std::any_of(answers.sync.begin(), answers.sync.end(), is_af_xdp))
    plan.files.push_back({places.unit_dir + "/hotpair-dataplane.service.d/af-xdp.conf", 0644,
                          kAfXdpRights, "what af_xdp needs, beside the unit"});
  for (const std::string& nic : plan.nics)
    plan.links.push_back(
        {places.unit_dir + "/hotpair-dataplane.service.wants/hotpair-vfio@" + nic + ".service",
         "/lib/systemd/system/hotpair-vfio@.service", nic + " to vfio-pci at each boot"});
  if (answers.password.find('\n') != std::string::npos || answers.password.empty())
    return fail_with("the password is empty or has more than one line");
  return plan;
}

}  // namespace hotpair::ctl::setup
