#include "agent/core/role.hpp"

namespace hotpair::agent {
namespace {

using Kind = ReportRoleChange::Kind;
using Row = std::array<Transition, kCauses>;

constexpr Transition stay(Role role) {
  return {role, Kind::start};
}
constexpr Transition kToBackup{Role::backup, Kind::start};
constexpr Transition kSteppedDown{Role::backup, Kind::step_down};
constexpr Transition kStarts{Role::primary, Kind::start};
constexpr Transition kFailsOver{Role::primary, Kind::failover};
constexpr Transition kSwitchesOver{Role::primary, Kind::switchover};
constexpr Transition kFaulty{Role::fault, Kind::fault};
constexpr Transition kListens{Role::init, Kind::start};

constexpr Transition kInit = stay(Role::init);
constexpr Transition kBackup = stay(Role::backup);
constexpr Transition kPrimary = stay(Role::primary);
constexpr Transition kFault = stay(Role::fault);

// Columns: peer_primary, peer_heard, peer_silent, peer_leaving, granted, granted_fault, alone,
//          mismatch, mismatch_over, gave_role, dual_lost, unheard, stalled, leave.
constexpr std::array<Row, kRoles> kTable{{
    // init
    {kToBackup, kInit, kInit, kStarts, kStarts, kStarts, kStarts,  //
     kFaulty, kInit, kInit, kInit, kInit, kInit, kInit},
    // backup
    {kBackup, kBackup, kFailsOver, kSwitchesOver, kSwitchesOver, kFailsOver, kFailsOver,  //
     kBackup, kBackup, kBackup, kBackup, kBackup, kBackup, kBackup},
    // primary
    {kPrimary, kPrimary, kPrimary, kPrimary, kPrimary, kPrimary, kPrimary,  //
     kPrimary, kPrimary, kSteppedDown, kSteppedDown, kSteppedDown, kSteppedDown, kSteppedDown},
    // fault
    {kToBackup, kListens, kFault, kFault, kFault, kFault, kFault,  //
     kFault, kListens, kFault, kFault, kFault, kFault, kFault},
}};
static_assert(kTable.size() == kRoles && kTable[0].size() == kCauses);
static_assert(static_cast<std::size_t>(Role::fault) + 1 == kRoles);

// I2: only a node that is init or backup becomes primary.
constexpr bool primary_only_from_init_or_backup() {
  for (const Transition& t : kTable[static_cast<std::size_t>(Role::fault)])
    if (t.to == Role::primary) return false;
  return true;
}
static_assert(primary_only_from_init_or_backup());

}  // namespace

const Transition& transition(Role role, Cause cause) {
  HOTPAIR_ASSERT(cause < Cause::count_);
  return kTable[static_cast<std::size_t>(role)][static_cast<std::size_t>(cause)];
}

std::string_view to_string(Cause cause) {
  switch (cause) {
    case Cause::peer_primary:
      return "peer primary";
    case Cause::peer_heard:
      return "peer heard";
    case Cause::peer_silent:
      return "peer silent";
    case Cause::peer_leaving:
      return "peer leaving";
    case Cause::granted:
      return "granted by choice";
    case Cause::granted_fault:
      return "granted for a fault";
    case Cause::alone:
      return "alone";
    case Cause::mismatch:
      return "mismatch";
    case Cause::mismatch_over:
      return "mismatch over";
    case Cause::gave_role:
      return "gave the role";
    case Cause::dual_lost:
      return "dual primary lost";
    case Cause::unheard:
      return "unheard";
    case Cause::stalled:
      return "stalled";
    case Cause::leave:
      return "leave";
    case Cause::count_:
      break;
  }
  return "unknown";
}

std::string_view to_string(ReportRoleChange::Kind kind) {
  switch (kind) {
    case Kind::start:
      return "start";
    case Kind::failover:
      return "failover";
    case Kind::switchover:
      return "switchover";
    case Kind::step_down:
      return "step_down";
    case Kind::fault:
      return "fault";
  }
  return "unknown";
}

}  // namespace hotpair::agent
