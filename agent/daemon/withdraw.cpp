// --withdraw, for systemd's ExecStopPost and for hands: what an agent that died may have left
// behind.
#include <cstdio>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "agent/daemon/address_operations.hpp"
#include "agent/daemon/kernel_settings.hpp"
#include "agent/daemon/management_access.hpp"
#include "agent/daemon/route_installer.hpp"
#include "agent/daemon/start_up.hpp"
#include "platform/linux/state_file.hpp"

namespace hotpair::daemon {
namespace {

using nlohmann::json;

constexpr const char* kAddressesFile = "/addresses.json";

// The plan of the last run, as far as it can be read.
NodePlan read_noted(const std::string& run_dir) {
  NodePlan plan;
  const auto text = sys::read_state_file(run_dir + kAddressesFile, 256 * 1024);
  if (!text || !text->has_value()) return plan;
  const json read = json::parse(**text, nullptr, false);
  if (!read.is_array()) return plan;
  for (const auto& item : read) {
    if (!item.is_object() || plan.addresses.size() == kMaxFloatingAddresses) continue;
    const auto device = item.find("device"), address = item.find("address");
    if (device == item.end() || address == item.end() || !device->is_string() ||
        !address->is_string())
      continue;
    const auto prefix = sys::parse_ip_prefix(address->get_ref<const std::string&>());
    if (!prefix) continue;
    FloatingAddress floating;
    floating.device = device->get<std::string>();
    floating.address.ipv6 = prefix->address.ipv6;
    floating.address.address = prefix->address.bytes;
    floating.address.prefix_length = prefix->length;
    const auto macvlan = item.find("virtual_mac");
    floating.virtual_mac = macvlan != item.end() && macvlan->is_boolean() && macvlan->get<bool>();
    plan.addresses.push_back(std::move(floating));
  }
  return plan;
}

// Of both chassis: the placeholder must go also when chassis_id was changed meanwhile.
std::vector<sys::AddressOperation> removal_of(NodePlan plan, const FindDevice& find) {
  auto operations = withdraw_everything(plan, find);
  for (const auto self : {agent::ChassisId::one, agent::ChassisId::two})
    for (const auto& name : own_devices(plan.addresses))
      if (const auto device = find(name))
        operations.push_back(placeholder_operation(self, *device, false));
  return operations;
}

int complain(const std::string& message) {
  std::fprintf(stderr, "hotpaird --withdraw: %s\n", message.c_str());
  return kExitFailed;
}

}  // namespace

Status note_addresses(const std::string& run_dir, const config::Config& config) {
  const auto plan = make_plan(config, [](const auto&) { return false; });
  if (!plan) return Failure<Error>{plan.error()};
  json list = json::array();
  for (const auto& address : plan->addresses)
    list.push_back({{"device", address.device},
                    {"address", address.address.text},
                    {"virtual_mac", address.virtual_mac}});
  return sys::write_state_file(run_dir + kAddressesFile, list.dump() + "\n");
}

int withdraw_all(const Options& options) {
  if (::access(options.run_dir.c_str(), F_OK) == 0)
    if (const auto lock = InstanceLock::take(options.run_dir); !lock)
      return complain(lock.error().message);
  auto links = sys::LinkMonitor::open();
  if (!links) return complain(links.error().message);
  auto table = sys::AddressTable::open();
  if (!table) return complain(table.error().message);
  const auto find = devices_of(**links);
  auto operations = removal_of(read_noted(options.run_dir), find);
  const auto config = config::load_config(options.config_dir);
  if (config) {
    if (const auto plan = make_plan(*config, [](const auto&) { return false; })) {
      const auto more = removal_of(*plan, find);
      operations.insert(operations.end(), more.begin(), more.end());
    }
  } else {
    for (const auto& text : problem_texts(config.error())) complain(text);
  }
  int status = kExitGood;
  std::size_t removed = 0;
  for (const auto& result : table->apply(operations, 2s)) {
    if (!result.ok) status = complain(result.text);
    if (result.changed) ++removed;
  }
  if (removed > 0) std::printf("removed %zu addresses, routes and macvlans\n", removed);
  if (const auto routes = remove_synchronised_routes(); !routes)
    status = complain(routes.error().message);
  else if (*routes > 0)
    std::printf("removed %zu synchronised routes and neighbours\n", *routes);
  if (const auto rules = remove_management_access(options.run_dir); !rules)
    status = complain(rules.error().message);
  for (const auto& problem : KernelSettings(options.run_dir).restore()) status = complain(problem);
  return status;
}

}  // namespace hotpair::daemon
