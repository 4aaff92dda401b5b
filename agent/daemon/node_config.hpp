// From the two files to what the core and the shell work with: names resolved to this box's
// devices, lists in a fixed order. The position of a data interface in `data_interfaces` is its
// index in agent::LinkChanged; heartbeat interface i is path i.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/types.hpp"
#include "agent/daemon/virtual_mac.hpp"
#include "platform/base/result.hpp"
#include "platform/config/config.hpp"
#include "platform/linux/udp_channel.hpp"

namespace hotpair::daemon {

constexpr std::size_t kMaxFloatingAddresses = 512;
// What the wardens' shared memory holds: the addresses, and the macvlans of 64 interfaces.
constexpr std::size_t kMaxRemovals = kMaxFloatingAddresses + 64;

struct DataInterface {
  std::string name;            // the cluster's
  std::string device;          // this box's
  std::string logical_system;  // empty: none
  bool lag = false;
  std::string vrf;  // it is watched because it was found in this VRF; empty: it is named
};

// An address that follows the primary; `management` ones belong to the management interface.
struct FloatingAddress {
  std::string interface;  // the cluster's name
  std::string device;     // that it stands on: this box's, or the interface's macvlan
  config::AddressPrefix address;
  bool management = false;
  bool virtual_mac = false;  // the device is a macvlan of ours
};

struct HeartbeatPath {
  std::string device;
  std::uint16_t vlan = 999;
  std::uint16_t ethertype = 0x9890;
  friend bool operator==(const HeartbeatPath&, const HeartbeatPath&) = default;
};

struct NodePlan {
  agent::NodeConfig node;
  std::vector<DataInterface> data_interfaces;
  std::vector<FloatingAddress> addresses;
  std::vector<VirtualDevice> virtual_devices;
  std::vector<HeartbeatPath> heartbeats;
  std::string management_device;  // empty: none configured
  std::optional<sys::UdpOptions> management_path;
};

// Says whether a device is a bond or a team at this moment; a device that is absent is not.
using IsLag = std::function<bool(const std::string& device)>;

// The devices that are in a VRF.
using VrfMembers = std::function<std::vector<std::string>(const std::string& vrf)>;

// Fails when the files ask for more than the core's fixed capacities hold.
Result<NodePlan> make_plan(const config::Config& config, const IsLag& is_lag,
                           const VrfMembers& vrf_members = {});

// What a running agent cannot change, by key, with the old and the new value; empty: all of it can.
std::vector<std::string> changes_that_need_a_restart(const config::Config& running,
                                                     const config::Config& wanted);

// The sum over the interface modules with this box's overrides, or the box's own without any.
std::uint32_t module_priority(const config::Config& config);

}  // namespace hotpair::daemon
