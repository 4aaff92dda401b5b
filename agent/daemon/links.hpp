// What the kernel says of this box's devices, as the core's events: LinkChanged for each data
// interface, HeartbeatLinkChanged and ManagementLinkChanged. Emits a difference once; judges
// nothing but whether a device can carry traffic.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/event.hpp"
#include "agent/daemon/node_config.hpp"
#include "platform/linux/netlink_link.hpp"

namespace hotpair::daemon {

constexpr std::uint32_t kUnknownSpeedMbps = 1000;  // drivers of virtual NICs know none

// The last speed a device was seen with: what it would contribute when connected again.
using KnownSpeeds = std::map<std::string, std::uint32_t>;

// One data interface as it stands. `link` is null when the device is gone; `members` are a LAG's. A
// LAG is down once more than `threshold` of its members cannot carry traffic.
agent::LinkChanged assess_link(const sys::LinkInfo* link, const std::vector<sys::LinkInfo>& members,
                               bool lag, int threshold, KnownSpeeds& speeds);

// Whether a member of a bond or team can carry the LAG's traffic now.
bool member_usable(const sys::LinkInfo& lag, const sys::LinkInfo& member);

bool is_lag(const sys::LinkInfo* link);

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
  const std::vector<bool>& heartbeat_up() const { return heartbeat_up_; }
  bool device_present(const std::string& device) const { return monitor_.find(device) != nullptr; }

 private:
  agent::LinkChanged look_at(const DataInterface& interface);
  bool carries(const std::string& device) const;

  const sys::LinkMonitor& monitor_;
  Emit emit_;
  const NodePlan* plan_ = nullptr;
  int threshold_ = 0;
  KnownSpeeds speeds_;
  bool tell_all_ = true;
  std::vector<agent::LinkChanged> data_;
  std::vector<bool> heartbeat_up_;
  bool management_up_ = true;
};

}  // namespace hotpair::daemon
