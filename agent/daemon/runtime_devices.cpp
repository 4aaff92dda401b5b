// The devices that addresses stand on: cleaned of what an earlier run left, made, set up.
#include <algorithm>

#include "agent/daemon/runtime.hpp"

namespace hotpair::daemon {

// What an earlier run may have left behind, before the first word to the peer.
void Runtime::clean_up() {
  const auto operations = withdraw_everything(*plan_, devices_of(*link_monitor_));
  const auto results = address_table_->apply(operations, 1s);
  const auto removed = std::count_if(results.begin(), results.end(),
                                     [](const auto& result) { return result.changed; });
  if (removed > 0)
    log_.notice("cleaned-up",
                "removed " + std::to_string(removed) +
                    " addresses, routes and macvlans that an earlier run had left behind");
  for (const auto& result : results)
    if (!result.ok) log_.error("withdraw-failed", result.text);
}

// Before the loop runs, and afresh: whatever an earlier run left of macvlans goes.
void Runtime::prepare_devices_now() {
  settings_ = std::make_unique<KernelSettings>(options_.run_dir);
  report_device_problems(
      carry_out(device_work(*plan_, link_monitor_->all(), config_.cluster.group_id, true),
                *address_table_, *settings_));
  for (const VirtualDevice& device : plan_->virtual_devices)
    log_.notice("virtual-mac",
                "the addresses of " + device.interface + " stand on " + device.name +
                    " with MAC address " + sys::to_text(device.mac) + " above " + device.parent +
                    "; rulesets name both devices",
                {{"interface", device.interface}, {"device", device.name}});
  (void)link_monitor_->handle_readable();  // what was made is known from here on
}

// Of what came, or is newly wanted; addresses follow when the devices are heard of.
void Runtime::prepare_devices() {
  kernel_->run(
      [this, work = device_work(*plan_, link_monitor_->all(), config_.cluster.group_id, false)] {
        return carry_out(work, *address_table_, *settings_);
      },
      [this](const std::vector<std::string>& problems) { report_device_problems(problems); });
}

void Runtime::report_device_problems(const std::vector<std::string>& problems) {
  for (const auto& problem : problems) log_.warning("device-setup-failed", problem);
}

}  // namespace hotpair::daemon
