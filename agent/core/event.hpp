// Everything a node can learn. Time comes in with the event; the node never asks for it.
#pragma once

#include <optional>
#include <variant>

#include "agent/core/heartbeat.hpp"
#include "agent/core/types.hpp"

namespace hotpair::agent {

// A heartbeat that was authenticated and echoes our current salt. `heard_at` is the kernel's
// receive time (not later than Event::at), so a node that was itself late does not blame its peer.
struct HeartbeatReceived {
  PathId path = 0;
  Instant heard_at;
  bool new_association = false;  // first one since this peer's (re)start
  Heartbeat heartbeat;
};

// Somebody speaks our protocol on a heartbeat path and is not accepted. `proven` ones were
// authenticated with our password (wrong VLAN, other group, same chassis id), so they are our
// misconfigured peer.
struct MismatchSeen {
  enum class Kind : std::uint8_t {
    wrong_group,
    wrong_password,
    wrong_vlan,
    wrong_version,
    same_chassis_id,
    wrong_ethertype,
    wrong_path,      // heartbeat cables crossed
    not_associated,  // a verified greeting or an echo of another salt: it does not hear us (yet)
  };
  PathId path = 0;
  Instant heard_at;
  Kind kind = Kind::wrong_password;
  bool proven = false;
  std::optional<Role> role;  // what its body says, when that could be read (proven only)
  ShortText<96> detail;      // "group 8, ours is 7, from 02:00:00:00:00:01"
};

// The state of one data interface (index into NodeConfig::data_interfaces) or of the management
// link.
struct LinkChanged {
  std::uint8_t interface = 0;
  bool present = true;           // the device exists
  bool up = false;               // carrier (a LAG: usable, after its threshold)
  std::uint64_t speed_mbps = 0;  // as it counts; 0 while down
  std::uint64_t full_speed_mbps = 0;
};
struct ManagementLinkChanged {
  bool up = true;
};
struct HeartbeatLinkChanged {
  PathId path = 0;
  bool up = true;
};
struct ModulesChanged {
  std::uint8_t failed = 0;
  ShortText<96> first_failed;
  std::uint32_t priority = 128;
};

// Which of the remote monitors (bit i: NodeConfig::remote_monitors[i]) answer this node's probes
// now.
struct RemoteMonitorsChanged {
  std::uint32_t reached = 0;
  std::uint32_t known = UINT32_MAX;  // whose first answer, or its absence, is established
};
// Whether the witness of the split-brain policy answers this node now. Told at each answer, or at
// least at each change: an answer from after the peer's silence began ends the wait for it.
struct WitnessChanged {
  bool answers = false;
};

// What one node lacks of the logical systems that the other one has, in words; empty: nothing, or
// the nodes have not compared them.
struct PartitionsCompared {
  ShortText<96> lacking_here, lacking_there;
};

// What the data plane says of itself; alive=false when its socket is gone.
struct DataplaneState {
  ReplicationState replication;
};

// The outcome of an action that can fail; `action` is ActionId of the request.
struct ActionDone {
  std::uint32_t action = 0;
  bool ok = true;
  Duration took{};
  ShortText<128> error;
};

// Our own main loop, or the box, stood still for this long; addresses may have been fenced
// meanwhile.
struct Stalled {
  Duration for_{};
  bool fenced = false;
};

struct OperatorCommand {
  enum class What : std::uint8_t {
    failover,
    failover_force,
    force_primary,
    force_backup,
    force_none,
    maintenance_on,
    maintenance_off,
    shutdown
  };
  What what = What::failover;
};

struct DeadlineReached {};  // next_deadline() passed; early or repeated ones are harmless

struct Event {
  Instant at;
  std::variant<DeadlineReached, HeartbeatReceived, MismatchSeen, LinkChanged, ManagementLinkChanged,
               HeartbeatLinkChanged, ModulesChanged, RemoteMonitorsChanged, WitnessChanged,
               PartitionsCompared, DataplaneState, ActionDone, Stalled, OperatorCommand>
      what;
};

}  // namespace hotpair::agent
