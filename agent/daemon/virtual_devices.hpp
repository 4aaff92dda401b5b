// The macvlans that carry redundant addresses under a virtual MAC: made before they are needed,
// adopted when they are as they should be, removed when nobody wants them any more.
//
// What is to be done is worked out in the main loop; carrying it out waits for the kernel.
#pragma once

#include <string>
#include <vector>

#include "agent/daemon/address_operations.hpp"
#include "agent/daemon/kernel_settings.hpp"
#include "agent/daemon/node_config.hpp"
#include "platform/linux/netlink_addr.hpp"
#include "platform/linux/netlink_link.hpp"
#include "platform/linux/netlink_macvlan.hpp"

namespace hotpair::daemon {

struct DeviceWork {
  std::vector<sys::AddressOperation> removals;  // of macvlans of ours that nobody wants
  struct Macvlan {
    sys::MacvlanOptions options;
    std::string parent;
  };
  std::vector<Macvlan> creations;
  std::vector<std::string> parents;  // existing devices below a macvlan
  std::vector<std::string> own;      // existing devices of the box's own that carry an address
};

// `afresh`: nothing is adopted, what an earlier run left behind goes.
DeviceWork device_work(const NodePlan& plan, const std::vector<sys::LinkInfo>& links, int group,
                       bool afresh);

// What is below a macvlan must not answer for its addresses, nor ask in their name, and a packet
// that comes in by the one and would be answered by the other is not spoofed.
std::vector<KernelSettings::Setting> parent_settings(const std::string& parent);
// A macvlan forwards and redirects as the device below it does.
std::vector<KernelSettings::Setting> macvlan_settings(const std::string& name,
                                                      const std::string& parent);

// Returns what failed, for people. The settings of the devices that stay are noted by `settings`,
// those of macvlans go with them.
std::vector<std::string> carry_out(const DeviceWork& work, sys::AddressTable& table,
                                   KernelSettings& settings);

}  // namespace hotpair::daemon
