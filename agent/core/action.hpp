// What a node asks the world to do. An action is a request, never a fact: those with an id come
// back as ActionDone, and the node believes nothing before that.
//
// The order of the actions of one step is a contract: persist, withdraw, data plane, claim,
// announce, send, report. No heartbeat carries an epoch that was not persisted first, and a grant
// leaves only after the withdrawal it rests on was reported done.
#pragma once

#include <variant>

#include "agent/core/election.hpp"
#include "agent/core/heartbeat.hpp"
#include "agent/core/types.hpp"

namespace hotpair::agent {

using ActionId = std::uint32_t;

struct PersistState {
  ActionId id = 0;
  PersistedState state;
};

// Gives every redundant address back. With `linger`, what still arrives here is forwarded for a
// moment (the subnets' routes stay), so that a planned move loses nothing.
struct WithdrawAddresses {
  ActionId id = 0;
  bool linger = false;
};
struct ClaimAddresses {
  ActionId id = 0;
};
struct Announce {};  // GARP and unsolicited NA, repeated as configured; from the start

enum class DataplaneRole : std::uint8_t { idle = 0, backup = 1, primary = 2 };
struct SetDataplaneRole {
  ActionId id = 0;
  DataplaneRole role = DataplaneRole::idle;
  Epoch epoch;
};
struct DrainDataplane {
  ActionId id = 0;
};  // done when every change so far is acknowledged by the backup

struct PublishHeartbeat {
  Heartbeat heartbeat;
  bool at_once = false;
};  // what the thread says from now on

enum class Hook : std::uint8_t { primary, backup, fault };
struct RunHooks {
  Hook hook = Hook::primary;
};  // hooks and the systemd target; outcome is only reported

// For the log, the history and `hotpair why`.
struct ReportRoleChange {
  Role from = Role::init, to = Role::init;
  Epoch epoch;
  Reason reason;  // "peer silent for 41 ms on all 3 paths"
  enum class Kind : std::uint8_t {
    start,
    failover,
    switchover,
    step_down,
    fault
  } kind = Kind::start;
  // What was known at that moment. The peer's is the newest that was heard, if any ever was.
  HealthVector health{}, peer_health{};
  bool peer_known = false;
  bool elected = false;  // both lived, and the verdict was this
  Verdict verdict{};
};
// A takeover or a giving back is over (or has failed): the time of each step, for history and
// status.
struct TakeoverStep {
  ShortText<24> name;
  Duration took{};
  bool ok = true;
  ShortText<128> error;
};
struct ReportTransaction {
  bool takeover = true;
  bool ok = true;
  Duration total{};
  StaticVector<TakeoverStep, 8> steps;
};
struct ReportEvent {  // anything else worth a log line
  enum class Level : std::uint8_t { info, notice, warning, error } level = Level::info;
  ShortText<32> id;  // stable: "path-dead", "peer-alive", "dual-primary", "suppressed"
  Reason text;
};
struct OperatorAnswer {
  bool accepted = false;
  Reason text;
};               // to the OperatorCommand just stepped
struct Exit {};  // the orderly shutdown is complete

using Action = std::variant<PersistState, WithdrawAddresses, SetDataplaneRole, DrainDataplane,
                            ClaimAddresses, Announce, PublishHeartbeat, RunHooks, ReportRoleChange,
                            ReportTransaction, ReportEvent, OperatorAnswer, Exit>;
// One step asks for at most one transaction's stage plus reports; the bound is asserted.
using Actions = StaticVector<Action, 32>;

}  // namespace hotpair::agent
