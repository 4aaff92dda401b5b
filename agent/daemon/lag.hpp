// A LAG (bond or team) by its members, as rtnetlink tells of them. Pure.
//
// A member is usable when it has carrier, the bond's link monitoring agrees, and, with 802.3ad, it
// is in the active aggregator and both collects and distributes. In active-backup mode every such
// member is usable, the standby ones too, and the capacity is that of the active one. Of a team the
// kernel tells the members' carrier and no more: what teamd thinks of a port stays with teamd.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "platform/linux/netlink_link.hpp"

namespace hotpair::daemon {

constexpr std::uint32_t kUnknownSpeedMbps = 1000;  // drivers of virtual NICs know none

// The last speed a device was seen with: what it would contribute when connected again.
using KnownSpeeds = std::map<std::string, std::uint32_t>;
std::uint32_t speed_of(const sys::LinkInfo& link, KnownSpeeds& speeds);

struct LagMember {
  std::string device;
  bool up = false;      // administratively up, with carrier
  bool usable = false;  // carries, or could at once carry, the LAG's traffic
  std::string why;      // it is not usable; empty when it is
  friend bool operator==(const LagMember&, const LagMember&) = default;
};

struct LagState {
  enum class Score : std::uint8_t {
    good,  // no more members lost than the threshold forgives: counts as if none were
    bad,   // more lost, and it still carries something: counts like a LAG that is down
    down,  // nothing is carried
  };
  std::string mode;  // "802.3ad", "active-backup", ..., "team"
  std::vector<LagMember> members;
  std::size_t usable = 0;
  Score score = Score::down;
  std::uint64_t speed_mbps = 0;       // of what is usable, whatever the score
  std::uint64_t full_speed_mbps = 0;  // with every member usable
  friend bool operator==(const LagState&, const LagState&) = default;
};
const char* to_string(LagState::Score score);

bool is_lag(const sys::LinkInfo* link);
LagMember judge_member(const sys::LinkInfo& lag, const sys::LinkInfo& member);
// It is bad once more than `threshold` of its members are lost: with 0 one is enough.
LagState judge_lag(const sys::LinkInfo& lag, const std::vector<sys::LinkInfo>& members,
                   int threshold, KnownSpeeds& speeds);

}  // namespace hotpair::daemon
