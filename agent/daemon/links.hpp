// What the kernel says of this box's devices, as the core's events: LinkChanged for each data
// interface, HeartbeatLinkChanged and ManagementLinkChanged. Emits a difference once; judges
// nothing but whether a device can carry traffic.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/event.hpp"
#include "agent/daemon/lag.hpp"
#include "agent/daemon/node_config.hpp"
#include "platform/linux/netlink_link.hpp"

namespace hotpair::daemon {

// One data interface as it stands. `link` is null when the device is gone; `lag` when it is none or
// does not count as one. A LAG that is bad counts as down; a good one with all its members, since
// what the threshold forgives must not move the role by the speed it takes away.
agent::LinkChanged assess_link(const sys::LinkInfo* link, const LagState* lag, KnownSpeeds& speeds);

// The names of the devices in a VRF; none when there is no such VRF.
std::vector<std::string> members_of_vrf(const sys::LinkMonitor& monitor, const std::string& vrf);

using EventBody = decltype(agent::Event::what);
using Emit = std::function<void(EventBody)>;

class Links {
 public:
  Links(const sys::LinkMonitor& monitor, Emit emit) : monitor_(monitor), emit_(std::move(emit)) {}

  // A new plan: everything is told again.
  void configure(const NodePlan& plan, int lag_threshold);
  // Looks at all devices of the plan and emits what differs from what was told.
  void refresh();

  const std::vector<agent::LinkChanged>& data() const { return data_; }
  // As data(): what there is to tell of those that are LAGs.
  const std::vector<std::optional<LagState>>& lags() const { return lags_; }
  const std::vector<bool>& heartbeat_up() const { return heartbeat_up_; }
  bool device_present(const std::string& device) const { return monitor_.find(device) != nullptr; }

 private:
  agent::LinkChanged look_at(const DataInterface& interface, std::optional<LagState>& lag);
  bool carries(const std::string& device) const;

  const sys::LinkMonitor& monitor_;
  Emit emit_;
  const NodePlan* plan_ = nullptr;
  int threshold_ = 0;
  KnownSpeeds speeds_;
  bool tell_all_ = true;
  std::vector<agent::LinkChanged> data_;
  std::vector<std::optional<LagState>> lags_;
  std::vector<bool> heartbeat_up_;
  bool management_up_ = true;
};

}  // namespace hotpair::daemon
