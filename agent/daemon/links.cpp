#include "agent/daemon/links.hpp"

#include <algorithm>

namespace hotpair::daemon {
namespace {

bool up(const sys::LinkInfo& link) {
  return link.admin_up && link.carrier;
}

bool same(const agent::LinkChanged& a, const agent::LinkChanged& b) {
  return a.present == b.present && a.up == b.up && a.speed_mbps == b.speed_mbps &&
         a.full_speed_mbps == b.full_speed_mbps;
}

}  // namespace

agent::LinkChanged assess_link(const sys::LinkInfo* link, const LagState* lag,
                               KnownSpeeds& speeds) {
  agent::LinkChanged state;
  if (link == nullptr) {
    state.present = false;
    return state;
  }
  state.up = lag != nullptr ? lag->score == LagState::Score::good : up(*link);
  state.full_speed_mbps = lag != nullptr ? lag->full_speed_mbps : speed_of(*link, speeds);
  // In a good LAG everything that is lost is forgiven.
  if (state.up) state.speed_mbps = state.full_speed_mbps;
  return state;
}

std::vector<std::string> members_of_vrf(const sys::LinkMonitor& monitor, const std::string& vrf) {
  std::vector<std::string> names;
  const sys::LinkInfo* device = monitor.find(vrf);
  if (device == nullptr || device->kind != "vrf") return names;
  for (const auto& member : monitor.members_of(device->ifindex)) names.push_back(member.name);
  return names;
}

void Links::configure(const NodePlan& plan, int lag_threshold) {
  plan_ = &plan;
  threshold_ = lag_threshold;
  data_.assign(plan.data_interfaces.size(), {});
  lags_.assign(plan.data_interfaces.size(), {});
  heartbeat_up_.assign(plan.heartbeats.size(), false);
  tell_all_ = true;
}

agent::LinkChanged Links::look_at(const DataInterface& interface, std::optional<LagState>& lag) {
  const sys::LinkInfo* link = monitor_.find(interface.device);
  lag.reset();
  if (interface.lag && is_lag(link))
    lag = judge_lag(*link, monitor_.members_of(link->ifindex), threshold_, speeds_);
  auto state = assess_link(link, lag ? &*lag : nullptr, speeds_);
  if (link == nullptr) {
    const auto known = speeds_.find(interface.device);
    state.full_speed_mbps = known == speeds_.end() ? kUnknownSpeedMbps : known->second;
  } else if (lag) {
    speeds_[interface.device] =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(state.full_speed_mbps, UINT32_MAX));
  }
  return state;
}

bool Links::carries(const std::string& device) const {
  const sys::LinkInfo* link = monitor_.find(device);
  return link != nullptr && up(*link);
}

void Links::refresh() {
  for (std::size_t i = 0; i < plan_->data_interfaces.size(); ++i) {
    agent::LinkChanged state = look_at(plan_->data_interfaces[i], lags_[i]);
    state.interface = static_cast<std::uint8_t>(i);
    if (!tell_all_ && same(state, data_[i])) continue;
    data_[i] = state;
    emit_(state);
  }
  for (std::size_t i = 0; i < plan_->heartbeats.size(); ++i) {
    const bool is_up = carries(plan_->heartbeats[i].device);
    if (!tell_all_ && is_up == heartbeat_up_[i]) continue;
    heartbeat_up_[i] = is_up;
    emit_(agent::HeartbeatLinkChanged{static_cast<agent::PathId>(i), is_up});
  }
  const bool management_up = plan_->management_device.empty() || carries(plan_->management_device);
  if (tell_all_ || management_up != management_up_)
    emit_(agent::ManagementLinkChanged{management_up});
  management_up_ = management_up;
  tell_all_ = false;
}

}  // namespace hotpair::daemon
