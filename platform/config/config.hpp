// The two configuration files as plain values: node.yaml (this box's own) and cluster.yaml (the
// same on both). load_config() reads, checks every key, type and range, fills the defaults and
// resolves names; what it returns is complete and consistent. It knows the schema and nothing of
// what is done with it.
//
// A mistake is a ConfigProblem with file, line, key, what was found and what is allowed; all
// mistakes are collected, not just the first. Unknown keys are mistakes (with the nearest known key
// as a suggestion). Durations accept ns us ms s m h ("10ms"); booleans are YAML 1.2's true and
// false.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "platform/base/result.hpp"
#include "platform/base/time.hpp"

namespace hotpair::config {

struct HeartbeatInterface {
  std::string interface;                   // a kernel device
  std::uint16_t vlan = 999;                // 1-4094
  std::optional<std::uint16_t> ethertype;  // overrides the cluster's; 0x0600-0xffff
};

// What the kernel's connection tracking has room for; 0: as it is set already.
struct ConntrackSize {
  std::uint32_t max = 0;      // sessions
  std::uint32_t buckets = 0;  // of the hash; best one a session
};

struct SessionSync {
  std::vector<std::string>
      devices;  // PCI addresses or DPDK vdev strings, in order of preference; may be empty
  std::vector<unsigned> lcores;  // empty: the system picks
  bool hugepages = true;
  ConntrackSize conntrack;
};

struct ModuleOverride {
  std::optional<std::uint8_t> priority;
};

// Heartbeats over UDP beside the cables: one more witness that the peer lives.
struct ManagementPath {
  std::string local, peer;  // addresses of one family, as normalised
  std::uint16_t port = 9890;
};

// What is served to who watches this box: plain HTTP, read-only. `listen` is 192.0.2.1:9184,
// [2001:db8::1]:9184 or the path of a Unix socket (listen_socket.hpp).
struct Metrics {
  std::string listen;
};

// A page for browsers. Who reaches an IP address must know the token; a Unix socket's file says who
// may.
struct Web {
  std::string listen;
  std::string token_file;  // empty only with a Unix socket
};

struct NodeFile {
  int chassis_id = 0;    // 1 or 2, required
  std::string hostname;  // default: the system's; 1-63 bytes
  std::string serial;    // default: derived from /etc/machine-id; 1-32 bytes
  std::uint8_t priority = 128;
  std::map<int, ModuleOverride> modules;
  std::vector<HeartbeatInterface> heartbeat_interfaces;  // 1-4, required
  SessionSync session_sync;
  std::optional<ManagementPath> management_path;
  std::optional<Metrics> metrics;
  std::optional<Web> web;
  bool peer_exec = true;                          // the peer's root may run commands here
  std::map<std::string, std::string> interfaces;  // cluster's name -> this box's device

  // This box's device for the cluster's name: the mapping, or the same name.
  const std::string& device(const std::string& name) const {
    auto it = interfaces.find(name);
    return it == interfaces.end() ? name : it->second;
  }
};

struct Heartbeat {
  std::uint16_t ethertype = 0x9890;
  Duration interval = 10ms;      // 1ms-10s
  int lost_threshold = 4;        // 2-60
  Duration hello_holddown = 2s;  // 0-300s
};

// What a node does when its peer falls silent on every path, which a cut of all of them looks like
// too.
enum class SplitBrain : std::uint8_t { takeover, stay, witness };

struct Election {
  bool override_ = false;
  Duration uptime_margin = 300s;     // 0-65535s
  int link_failure_threshold = 0;    // 0-80
  int board_failover_tolerance = 0;  // 0-12
  Duration hold = 0s;                // 0-3600s
  SplitBrain split_brain = SplitBrain::takeover;
  std::string witness;          // an address as normalised; empty unless split_brain is witness
  Duration sync_timeout = 60s;  // 1-3600s
  Duration flap_backoff = 1s, flap_backoff_max = 60s;  // 0-60s, 1-3600s
};

enum class PickupFrom : std::uint8_t { first_packet, assured };  // "new", "assured"

struct SessionPickup {
  bool enabled = false;
  PickupFrom from = PickupFrom::first_packet;
  Duration delay = 0s;  // 0-3600s
  bool udp = true;
  bool icmp = false;
  bool sctp = true;
  bool expectations = true;
  std::vector<std::string> exclude;  // prefixes, checked
};

// An address with its prefix length, e.g. 192.0.2.1/24; network byte order, IPv4 in the first 4
// bytes.
struct AddressPrefix {
  bool ipv6 = false;
  std::array<std::uint8_t, 16> address{};
  std::uint8_t prefix_length = 0;
  std::string text;  // as normalised for people

  friend bool operator==(const AddressPrefix&, const AddressPrefix&) = default;
};

struct RedundantInterface {
  std::string interface;  // the cluster's name
  std::vector<AddressPrefix> addresses;
  bool virtual_mac = false;
};

struct RemoteMonitor {
  std::string address, interface;
  Duration interval = 200ms;
  int lost = 5;
  int weight = 100;  // 0-255
};

struct Monitor {
  std::vector<std::string> interfaces;  // default: every redundant interface (already filled in)
  std::vector<std::string> lags;
  bool lags_given = false;  // false: every monitored interface that is a bond or a team
  std::vector<RemoteMonitor> remote;
};

struct Management {
  std::string interface;
  std::vector<AddressPrefix> addresses;
  std::vector<std::uint16_t> ports;  // of services; each node's is P x 100 + chassis and slot
  int slot = 1;                      // 1-19
};

struct Module {
  enum class Kind : std::uint8_t { interface, worker };
  int slot = 0;  // 1-63, unique
  Kind kind = Kind::interface;
  std::vector<std::string> interfaces;  // kind interface
  std::uint8_t priority = 128;
  std::string unit;  // kind worker: one of unit, command
  std::vector<std::string> command;
  Duration interval = 1s, timeout = 500ms;
  int rise = 2, fall = 3;
};

struct LogicalSystem {
  std::string name, vrf;
  std::optional<std::uint16_t> conntrack_zone;
  std::vector<std::string> interfaces;
  std::vector<std::string> config_paths;  // of config_sync.paths
};

// What becomes of a change that was made on the backup.
enum class BackupChanges : std::uint8_t { report, revert };

// Paths are files, directories (all below them) or globs, as in glob(7).
struct ConfigSync {
  std::vector<std::string> paths;
  std::vector<std::string> ignore;      // globs, against the whole path or the last name
  std::vector<std::string> substitute;  // of `paths`: P is made here of P.template, which travels
  // By one of `paths`. In a check {} is the directory where the new files lie under their paths.
  std::map<std::string, std::vector<std::string>> check, apply;
  BackupChanges backup_changes = BackupChanges::report;
  Duration timeout = 30s;    // of a check or an apply command, 1-600s
  Duration rescan = 60s;     // 1-3600s; changes are noticed at once where the kernel tells of them
  bool nft_ruleset = false;  // the ruleset in the primary's kernel goes to the backup's
  std::vector<std::string> nft_sets;  // sets and maps whose elements do: NAME or FAMILY TABLE NAME
};

// The Ethernet segment between the two nodes that rides in the heartbeat channel.
struct ClusterNetwork {
  bool enabled = true;
  int rate_mbps = 100;  // 1-10000; of data in one direction, in millions of bits a second
};

struct RouteSync {
  bool enabled = false;
  std::vector<std::string> protocols;  // as route_protocol() knows them
  // Numbers, main, default, or devices of VRFs; empty: main and the VRFs of the logical systems.
  std::vector<std::string> tables;
  Duration hold = 10s, wait = 0s, ttl = 10s;  // hold, wait: 0-3600s; ttl: 1-3600s
};
struct NftSetSpelling {
  std::string family, table, name;  // family and table empty: any
};
// "NAME" or "FAMILY TABLE NAME"; none: it is not spelled so.
std::optional<NftSetSpelling> nft_set(const std::string& text);
// The number of a routing protocol by its name in rt_protos or as digits; none: it is not one whose
// routes may be synchronised.
std::optional<std::uint8_t> route_protocol(const std::string& name);
// Of the routes and neighbours that route sync installs; "hotpair" in rt_protos.
constexpr std::uint8_t kOwnRouteProtocol = 172;

// Events told to others than the journal.
struct SnmpTrap {
  enum class Level : std::uint8_t { notice, warning, error };
  std::vector<std::string> receivers;               // as snmptrap's AGENT, 1-8
  std::vector<std::string> options = {"-v", "2c"};  // of snmptrap
  Level level = Level::warning;                     // the least that is told
};
struct Events {
  std::optional<SnmpTrap> snmp_trap;
};

struct Takeover {
  int garp_count = 5;                                                              // 1-60
  Duration garp_interval = 200ms;                                                  // 10ms-20s
  std::vector<std::vector<std::string>> hooks_primary, hooks_backup, hooks_fault;  // argv lists
};

struct ClusterFile {
  int group_id = -1;       // 0-1023, required
  std::string group_name;  // 0-32 bytes
  std::string password_file = "/etc/hotpair/password";
  Heartbeat heartbeat;
  Election election;
  SessionPickup session_pickup;
  std::vector<RedundantInterface> redundant_interfaces;
  Monitor monitor;
  std::optional<Management> management;
  std::vector<Module> modules;
  std::vector<LogicalSystem> logical_systems;
  ClusterNetwork cluster_network;
  ConfigSync config_sync;
  RouteSync route_sync;
  Takeover takeover;
  Events events;
  std::uint64_t digest = 0;  // of the meaning of the file (not its spelling); nodes compare it
};

struct Config {
  NodeFile node;
  ClusterFile cluster;
};

struct ConfigProblem {
  std::string file;
  int line = 0;     // from 1; 0: the file as a whole
  std::string key;  // dotted path, e.g. heartbeat.interval
  std::string found;
  std::string allowed;

  // "cluster.yaml:7: heartbeat.interval: found '10 apples', allowed: a duration from 1ms to 10s"
  std::string text() const;
};

using ConfigProblems = std::vector<ConfigProblem>;

// Reads <dir>/node.yaml and <dir>/cluster.yaml.
Result<Config, ConfigProblems> load_config(const std::string& directory);
// The same on text, for tests and fuzzing; names appear in the messages.
Result<Config, ConfigProblems> parse_config(const std::string& node_text,
                                            const std::string& cluster_text,
                                            const std::string& node_name = "node.yaml",
                                            const std::string& cluster_name = "cluster.yaml");

struct Passwords {
  std::string current;              // the first line
  std::optional<std::string> next;  // the second line: accepted too, during a rotation
};

// The systemd credential `password` when $CREDENTIALS_DIRECTORY has one and password_file was not
// changed after it was made, else password_file.
// Refuses an empty or over-long (256 bytes) password and a file that others can read.
Result<Passwords> load_passwords(const ClusterFile& cluster);

}  // namespace hotpair::config
