// What a recording says, field by field: events, actions, a node's configuration.
#pragma once

#include "agent/core/action.hpp"
#include "agent/core/event.hpp"
#include "agent/core/field_list.hpp"
#include "agent/core/recording.hpp"
#include "agent/core/role.hpp"

namespace hotpair::agent {

HOTPAIR_FIELDS(HealthVector, forced, bandwidth_mbps, good_lags, management_link, failed_modules,
               uptime_s, priority, remote_known, remote_reached, full_bandwidth_mbps, full_lags);
HOTPAIR_FIELDS(ReplicationState, dataplane_alive, in_sync, sessions, lag_sessions, lag_us);
HOTPAIR_FIELDS(PasswordUse, round, used, other);
HOTPAIR_FIELDS(ProtocolRange, lowest, highest);
// For texts; as bytes a heartbeat is what heartbeat_wire says.
HOTPAIR_FIELDS(Heartbeat, sequence, loop_age_us, role, epoch, table_epoch, leaving,
               dual_primary_seen, direct_silent, health, health_version, peer_health_version,
               ask_round, grant_round, ask_cause, invite_round, invite_cause, refuse_round, refusal,
               replication, cluster_digest, paths_alive, dataplane_nonce, serial, hostname, version,
               role_reason, lost_interfaces, failed_module, passwords, protocol);

// --- events
HOTPAIR_FIELDS(HeartbeatReceived, path, heard_at, new_association, heartbeat);
HOTPAIR_FIELDS(MismatchSeen, path, heard_at, kind, proven, role, detail);
HOTPAIR_FIELDS(LinkChanged, interface, present, up, speed_mbps, full_speed_mbps);
HOTPAIR_FIELDS(ManagementLinkChanged, up);
HOTPAIR_FIELDS(HeartbeatLinkChanged, path, up);
HOTPAIR_FIELDS(ModulesChanged, failed, first_failed, priority);
HOTPAIR_FIELDS(RemoteMonitorsChanged, reached, known);
HOTPAIR_FIELDS(WitnessChanged, answers);
HOTPAIR_FIELDS(PartitionsCompared, lacking_here, lacking_there);
HOTPAIR_FIELDS(DataplaneState, replication);
HOTPAIR_FIELDS(ActionDone, action, ok, took, error);
HOTPAIR_FIELDS(Stalled, for_, fenced);
HOTPAIR_FIELDS(OperatorCommand, what);

// --- actions
HOTPAIR_FIELDS(PersistedState, epoch, forced);
HOTPAIR_FIELDS(PersistState, id, state);
HOTPAIR_FIELDS(WithdrawAddresses, id, linger);
HOTPAIR_FIELDS(ClaimAddresses, id);
HOTPAIR_FIELDS(SetDataplaneRole, id, role, epoch);
HOTPAIR_FIELDS(DrainDataplane, id);
HOTPAIR_FIELDS(PublishHeartbeat, heartbeat, at_once);
HOTPAIR_FIELDS(RunHooks, hook);
HOTPAIR_FIELDS(Verdict, winner, criterion, winner_value, loser_value);
HOTPAIR_FIELDS(ReportRoleChange, from, to, epoch, reason, kind, health, peer_health, peer_known,
               elected, verdict);
HOTPAIR_FIELDS(TakeoverStep, name, took, ok, error);
HOTPAIR_FIELDS(ReportTransaction, takeover, ok, total, steps);
HOTPAIR_FIELDS(ReportEvent, level, id, text);
HOTPAIR_FIELDS(OperatorAnswer, accepted, text);

// --- the configuration
HOTPAIR_FIELDS(PathConfig, configured, kind, name);
HOTPAIR_FIELDS(DataInterfaceConfig, name, lag, logical_system);
HOTPAIR_FIELDS(RemoteMonitorConfig, address, weight, settle);
HOTPAIR_FIELDS(NodeConfig, self, serial, hostname, priority, override_, uptime_margin,
               board_failover_tolerance, hold, split_brain, witness, witness_patience, sync_timeout,
               flap_backoff, flap_backoff_max, interval, lost_threshold, hello_holddown,
               session_pickup, protocol, cluster_digest, paths, data_interfaces, remote_monitors);

HOTPAIR_FIELDS(RecordingStart, version, life_ms, segment, continues, at, wall_ms, persisted);

// What stands in recordings for the alternatives of Event and Action: numbers that are never used
// again for anything else, and words. An alternative without one does not compile.
template <typename T>
struct RecordedKind;

#define HOTPAIR_RECORDED(Type, number, text)        \
  template <>                                       \
  struct RecordedKind<Type> {                       \
    static constexpr std::uint8_t kNumber = number; \
    static constexpr std::string_view kName = text; \
  }

HOTPAIR_RECORDED(DeadlineReached, 1, "deadline reached");
HOTPAIR_RECORDED(HeartbeatReceived, 2, "heartbeat");
HOTPAIR_RECORDED(MismatchSeen, 3, "mismatch");
HOTPAIR_RECORDED(LinkChanged, 4, "data interface");
HOTPAIR_RECORDED(ManagementLinkChanged, 5, "management link");
HOTPAIR_RECORDED(HeartbeatLinkChanged, 6, "heartbeat link");
HOTPAIR_RECORDED(ModulesChanged, 7, "modules");
HOTPAIR_RECORDED(DataplaneState, 8, "data plane");
HOTPAIR_RECORDED(ActionDone, 9, "action done");
HOTPAIR_RECORDED(Stalled, 10, "stood still");
HOTPAIR_RECORDED(OperatorCommand, 11, "operator");
HOTPAIR_RECORDED(RemoteMonitorsChanged, 12, "remote monitors");
HOTPAIR_RECORDED(WitnessChanged, 13, "witness");
HOTPAIR_RECORDED(PartitionsCompared, 14, "logical systems");

HOTPAIR_RECORDED(PersistState, 1, "persist");
HOTPAIR_RECORDED(WithdrawAddresses, 2, "withdraw addresses");
HOTPAIR_RECORDED(ClaimAddresses, 3, "claim addresses");
HOTPAIR_RECORDED(Announce, 4, "announce");
HOTPAIR_RECORDED(SetDataplaneRole, 5, "set the data plane's role");
HOTPAIR_RECORDED(DrainDataplane, 6, "drain the data plane");
HOTPAIR_RECORDED(PublishHeartbeat, 7, "publish");
HOTPAIR_RECORDED(RunHooks, 8, "run hooks");
HOTPAIR_RECORDED(ReportRoleChange, 9, "role");
HOTPAIR_RECORDED(ReportTransaction, 10, "transaction");
HOTPAIR_RECORDED(ReportEvent, 11, "report");
HOTPAIR_RECORDED(OperatorAnswer, 12, "answer");
HOTPAIR_RECORDED(Exit, 13, "exit");

}  // namespace hotpair::agent
