// This box as far as a firewall pair depends on it: plain values, read by box_reader.cpp and judged
// by the checks. What could not be read is absent, and then nothing is said about it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <sys/types.h>

#include "platform/config/config.hpp"
#include "platform/linux/numa.hpp"
#include "tools/ctl/doctor/report.hpp"

namespace hotpair::ctl {

using Number = std::optional<std::int64_t>;

struct Nic {
  enum class Use : std::uint8_t { heartbeat, data };
  enum class Duplex : std::uint8_t { unknown, half, full };
  Use use = Use::data;
  std::string name;    // the cluster's; of a heartbeat interface: the device
  std::string device;  // this box's
  bool exists = false, admin_up = false, carrier = false;
  std::uint32_t mtu = 0;
  std::optional<std::uint32_t> speed_mbps;
  Duplex duplex = Duplex::unknown;
  std::string parent;  // below a VLAN or macvlan device
  std::string bus;     // "0000:3b:00.1"; empty: no hardware of its own
  bool large_receive_offload = false;
  bool has_ipv4 = false, has_ipv6 = false;  // addresses of the cluster follow the primary there
  bool virtual_mac = false;
  // Of the kernel's net/ipv4/conf and net/ipv6/conf.
  Number rp_filter, arp_ignore, arp_announce, ipv6_forwarding, ipv6_disabled;
};

// Of `all`, which the kernel combines with each device's own.
struct Forwarding {
  Number ipv4, ipv6, rp_filter, arp_ignore, arp_announce;
};

struct Conntrack {
  Number max, buckets, count, events, loose;  // all absent: there is no connection tracking
};

// Of a running daemon; absent: it does not run, or may not be looked at.
struct Process {
  bool running = false;
  std::optional<std::uint64_t> capabilities;        // effective
  std::optional<std::uint64_t> realtime_limit;      // RLIMIT_RTPRIO
  std::optional<std::uint64_t> locked_bytes_limit;  // RLIMIT_MEMLOCK; UINT64_MAX: none
};

struct Unit {
  std::string name;
  bool installed = false, enabled = false, active = false;
};

// Of this network namespace's packet filter.
struct Firewall {
  std::size_t tables = 0;  // of nftables, but hotpair's own
  bool tracks = false;     // a rule has connections tracked
  bool others = false;     // tables of the old iptables, which are not looked into
};

struct PciDevice {
  std::string address, driver;  // driver empty: bound to none
  bool exists = false;
};

struct Box {
  bool root = false;
  Process agent;
  std::optional<bool> clock_synchronised;
  std::vector<Nic> nics;
  Forwarding forwarding;
  Conntrack conntrack;
  std::optional<bool> nf_tables;
  std::optional<Firewall> firewall;
  std::string firewall_unit;  // "active", "failed", ...; empty: not installed, or not told
  Number hugepages_total, hugepages_free;
  std::set<unsigned> online, isolated, tickless;  // CPUs
  bool irqbalance = false;
  bool systemd = false;
  std::vector<Unit> units;
  std::vector<PciDevice> pci;          // of session_sync.devices
  std::vector<std::string> sync_nics;  // kernel devices named there
  std::set<std::string> absent_nics;   // of those, the ones that do not exist
  std::vector<sys::NumaNode> nodes;
  std::map<std::string, unsigned> sync_nodes;  // of those of session_sync.devices that have one
};

// Looks at the box; `config` says where.
Box read_box(const config::Config& config, std::optional<pid_t> agent);

// Everything below is pure.
void check_box(const Box& box, const config::Config& config, Report& report);
void check_heartbeat_nics(const Box& box, Report& report);
void check_data_nics(const Box& box, Report& report);
void check_forwarding(const Box& box, Report& report);
void check_conntrack(const Box& box, bool session_pickup, Report& report);
void check_firewall(const Box& box, bool session_pickup, Report& report);
void check_process(const Box& box, Report& report);
void check_dataplane_room(const Box& box, const config::SessionSync& sync, Report& report);
void check_system(const Box& box, Report& report);

// "0-3,8" as the kernel writes lists of CPUs.
std::set<unsigned> parse_cpu_list(const std::string& text);

}  // namespace hotpair::ctl
