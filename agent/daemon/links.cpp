#include "agent/daemon/links.hpp"

#include <algorithm>

namespace hotpair::daemon {
namespace {

// Port state bits of IEEE 802.1AX section 6.4.2.3: frames are both collected and distributed.
constexpr std::uint8_t kCollectingDistributing = 0x10 | 0x20;
constexpr std::uint8_t kModeActiveBackup = 1, kMode8023ad = 4;

bool up(const sys::LinkInfo& link) {
  return link.admin_up && link.carrier;
}

std::uint32_t speed_of(const sys::LinkInfo& link, KnownSpeeds& speeds) {
  // A driver that is asked without a carrier answers nothing or zero; both say nothing of the NIC.
  if (link.speed_mbps && *link.speed_mbps > 0) speeds[link.name] = *link.speed_mbps;
  const auto known = speeds.find(link.name);
  return known == speeds.end() ? kUnknownSpeedMbps : known->second;
}

bool same(const agent::LinkChanged& a, const agent::LinkChanged& b) {
  return a.present == b.present && a.up == b.up && a.speed_mbps == b.speed_mbps &&
         a.full_speed_mbps == b.full_speed_mbps;
}

agent::LinkChanged assess_lag(const sys::LinkInfo& lag, const std::vector<sys::LinkInfo>& members,
                              int threshold, KnownSpeeds& speeds) {
  agent::LinkChanged state;
  // One member at a time carries the traffic of an active-backup bond.
  const bool one_at_a_time = lag.bond_mode == kModeActiveBackup;
  std::size_t lost = 0;
  for (const auto& member : members) {
    const std::uint64_t speed = speed_of(member, speeds);
    const std::uint64_t usable = member_usable(lag, member) ? speed : 0;
    if (usable == 0) ++lost;
    if (one_at_a_time) {
      state.speed_mbps = std::max(state.speed_mbps, usable);
      state.full_speed_mbps = std::max(state.full_speed_mbps, speed);
    } else {
      state.speed_mbps += usable;
      state.full_speed_mbps += speed;
    }
  }
  state.up = up(lag) && lost < members.size() && lost <= static_cast<std::size_t>(threshold);
  if (!state.up) state.speed_mbps = 0;
  return state;
}

}  // namespace

bool is_lag(const sys::LinkInfo* link) {
  return link != nullptr && (link->kind == "bond" || link->kind == "team");
}

bool member_usable(const sys::LinkInfo& lag, const sys::LinkInfo& member) {
  if (!up(member)) return false;
  if (!member.bond_member) return true;  // a team's: its carrier is all the kernel tells
  if (!member.bond_member->mii_up) return false;
  if (lag.bond_mode != kMode8023ad) return true;
  return member.bond_member->aggregator_id == lag.bond_aggregator &&
         (member.bond_member->actor_state & kCollectingDistributing) == kCollectingDistributing;
}

agent::LinkChanged assess_link(const sys::LinkInfo* link, const std::vector<sys::LinkInfo>& members,
                               bool lag, int threshold, KnownSpeeds& speeds) {
  agent::LinkChanged state;
  if (link == nullptr) {
    state.present = false;
    return state;
  }
  if (lag && is_lag(link)) return assess_lag(*link, members, threshold, speeds);
  state.up = up(*link);
  state.full_speed_mbps = speed_of(*link, speeds);
  state.speed_mbps = state.up ? state.full_speed_mbps : 0;
  return state;
}

void Links::configure(const NodePlan& plan, int lag_threshold) {
  plan_ = &plan;
  threshold_ = lag_threshold;
  data_.assign(plan.data_interfaces.size(), {});
  heartbeat_up_.assign(plan.heartbeats.size(), false);
  tell_all_ = true;
}

agent::LinkChanged Links::look_at(const DataInterface& interface) {
  const sys::LinkInfo* link = monitor_.find(interface.device);
  const bool lag = interface.lag && is_lag(link);
  const auto members = lag ? monitor_.members_of(link->ifindex) : std::vector<sys::LinkInfo>{};
  auto state = assess_link(link, members, interface.lag, threshold_, speeds_);
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
    agent::LinkChanged state = look_at(plan_->data_interfaces[i]);
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
