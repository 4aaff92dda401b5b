#include "agent/daemon/lag.hpp"

#include <algorithm>

namespace hotpair::daemon {
namespace {

// Port state bits of IEEE 802.1AX section 6.4.2.3.
constexpr unsigned kSynchronization = 0x08;
constexpr unsigned kCollectingDistributing = 0x10 | 0x20;
constexpr std::uint8_t kModeActiveBackup = 1, kMode8023ad = 4;

bool up(const sys::LinkInfo& link) {
  return link.admin_up && link.carrier;
}

std::string mode_of(const sys::LinkInfo& lag) {
  // uapi/linux/if_bonding.h, BOND_MODE_*
  constexpr const char* kModes[] = {"balance-rr", "active-backup", "balance-xor", "broadcast",
                                    "802.3ad",    "balance-tlb",   "balance-alb"};
  if (!lag.bond_mode) return lag.kind;
  return *lag.bond_mode < std::size(kModes) ? kModes[*lag.bond_mode]
                                            : "mode " + std::to_string(*lag.bond_mode);
}

std::string why_not_usable(const sys::LinkInfo& lag, const sys::LinkInfo& member) {
  if (!member.admin_up) return "set down";
  if (!member.carrier) return "no carrier";
  if (!member.bond_member) return {};
  const sys::BondMember& state = *member.bond_member;
  if (!state.mii_up) return "link monitoring says down";
  if (lag.bond_mode != kMode8023ad) return {};
  if (state.aggregator_id != lag.bond_aggregator)
    return "in aggregator " + std::to_string(state.aggregator_id) + ", active is " +
           std::to_string(lag.bond_aggregator);
  if ((state.actor_state & kCollectingDistributing) == kCollectingDistributing) return {};
  return (state.partner_state & kSynchronization) == 0 ? "LACP: the partner is not in sync"
                                                       : "LACP: not collecting and distributing";
}

// One member at a time carries the traffic of an active-backup bond: what counts is the active one,
// and, for what there would be, whichever is lost and might be active otherwise.
void add_capacity(const sys::LinkInfo& member, bool usable, bool one_at_a_time, std::uint64_t speed,
                  LagState& state) {
  if (!one_at_a_time) {
    state.speed_mbps += usable ? speed : 0;
    state.full_speed_mbps += speed;
    return;
  }
  const bool standby = usable && member.bond_member && !member.bond_member->active;
  if (standby) return;
  if (usable) state.speed_mbps = std::max(state.speed_mbps, speed);
  state.full_speed_mbps = std::max(state.full_speed_mbps, speed);
}

}  // namespace

std::uint32_t speed_of(const sys::LinkInfo& link, KnownSpeeds& speeds) {
  // A driver that is asked without a carrier answers nothing or zero; both say nothing of the NIC.
  if (link.speed_mbps && *link.speed_mbps > 0) speeds[link.name] = *link.speed_mbps;
  const auto known = speeds.find(link.name);
  return known == speeds.end() ? kUnknownSpeedMbps : known->second;
}

const char* to_string(LagState::Score score) {
  switch (score) {
    case LagState::Score::good:
      return "good";
    case LagState::Score::bad:
      return "bad";
    case LagState::Score::down:
      return "down";
  }
  return "";
}

bool is_lag(const sys::LinkInfo* link) {
  return link != nullptr && (link->kind == "bond" || link->kind == "team");
}

LagMember judge_member(const sys::LinkInfo& lag, const sys::LinkInfo& member) {
  const std::string why = why_not_usable(lag, member);
  return {member.name, up(member), why.empty(), why};
}

LagState judge_lag(const sys::LinkInfo& lag, const std::vector<sys::LinkInfo>& members,
                   int threshold, KnownSpeeds& speeds) {
  LagState state;
  state.mode = mode_of(lag);
  const bool one_at_a_time = lag.bond_mode == kModeActiveBackup;
  const sys::LinkInfo* standby = nullptr;
  for (const auto& member : members) {
    LagMember judged = judge_member(lag, member);
    add_capacity(member, judged.usable, one_at_a_time, speed_of(member, speeds), state);
    if (judged.usable) standby = &member;
    if (judged.usable) ++state.usable;
    state.members.push_back(std::move(judged));
  }
  // Between two active members there is none for a moment: the next one is ready.
  if (one_at_a_time && state.speed_mbps == 0 && standby != nullptr) {
    state.speed_mbps = speed_of(*standby, speeds);
    state.full_speed_mbps = std::max(state.full_speed_mbps, state.speed_mbps);
  }
  const std::size_t lost = members.size() - state.usable;
  if (!up(lag) || state.usable == 0) return state;
  state.score =
      lost <= static_cast<std::size_t>(threshold) ? LagState::Score::good : LagState::Score::bad;
  return state;
}

}  // namespace hotpair::daemon
