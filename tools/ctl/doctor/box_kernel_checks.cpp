// What the box's kernel, its limits and its services must be like.
#include <algorithm>
#include <cstdint>

#include "tools/ctl/doctor/box.hpp"
#include "tools/ctl/style.hpp"

namespace hotpair::ctl {
namespace {

constexpr unsigned kNetAdmin = 12, kNetRaw = 13;  // linux/capability.h
constexpr std::uint64_t kRealtimeWanted = 60;     // the wardens' priority
constexpr std::uint64_t kLockedWanted = 256ull << 20;

std::string number(std::int64_t value) {
  return spoken_count(static_cast<std::uint64_t>(std::max<std::int64_t>(0, value)));
}

void check_table_size(const Conntrack& table, Report& report) {
  if (table.max && table.count && *table.max > 0) {
    const auto percent = *table.count * 100 / *table.max;
    if (percent >= 75)
      report.add(
          {"box.conntrack-full", percent >= 95 ? Severity::problem : Severity::warning,
           "the connection tracking table holds " + number(*table.count) + " of " +
               number(*table.max) + " entries",
           "more connections than it was sized for, or a flood; at its limit new connections "
           "are dropped",
           "sysctl -w net.netfilter.nf_conntrack_max=" + std::to_string(*table.max * 2) +
               ", on both nodes alike"});
    else
      report.well("box.conntrack-full");
  }
  if (!table.max || !table.buckets) return;
  if (*table.buckets * 2 >= *table.max) return report.well("box.conntrack-buckets");
  report.add(
      {"box.conntrack-buckets", Severity::warning,
       number(*table.buckets) + " hash buckets serve up to " + number(*table.max) + " entries",
       "with more than two entries a bucket each packet searches longer as the table fills",
       "echo " + std::to_string(*table.max) +
           " > /sys/module/nf_conntrack/parameters/hashsize (or sysctl -w "
           "net.netfilter.nf_conntrack_buckets)"});
}

std::string joined(const std::set<unsigned>& cpus) {
  std::string text;
  for (const unsigned cpu : cpus) text += (text.empty() ? "" : ",") + std::to_string(cpu);
  return text;
}

void check_cpus(const Box& box, const config::SessionSync& sync, Report& report) {
  std::set<unsigned> absent, shared;
  for (const unsigned cpu : sync.lcores) {
    if (!box.online.empty() && !box.online.contains(cpu)) absent.insert(cpu);
    if (!box.isolated.contains(cpu)) shared.insert(cpu);
  }
  if (!absent.empty())
    report.add({"box.cpu-absent", Severity::problem,
                "session_sync.lcores names CPU " + joined(absent) + ", which this box has not",
                "node.yaml was copied from another box, or a CPU is offline",
                "see 'lscpu', and set session_sync.lcores in node.yaml"});
  if (sync.lcores.empty()) return;
  if (shared.empty()) {
    report.well("box.cpu-isolation");
  } else {
    report.add({"box.cpu-isolation", Severity::warning,
                "CPU " + joined(shared) + " of session_sync.lcores is shared with everything else",
                "it is not isolated, so other programs and interrupts delay the replication",
                "add 'isolcpus=" + joined(shared) + " nohz_full=" + joined(shared) +
                    "' to the kernel's command line"});
  }
  if (box.irqbalance && shared.empty() && box.tickless.empty())
    report.add(
        {"box.irqbalance", Severity::warning,
         "irqbalance may place interrupts on the CPUs of session_sync.lcores",
         "it runs and knows of isolated CPUs only when it is told",
         "set IRQBALANCE_BANNED_CPULIST=" + joined({sync.lcores.begin(), sync.lcores.end()}) +
             " in /etc/default/irqbalance, then 'systemctl restart irqbalance'"});
}

// The node of the CPU that the data plane runs on: the one it is given, else the last.
const sys::NumaNode* node_of_lcore(const Box& box, const config::SessionSync& sync) {
  if (sync.lcores.empty() && box.online.empty()) return nullptr;
  const unsigned cpu = sync.lcores.empty() ? *box.online.rbegin() : sync.lcores.front();
  return sys::numa_node_of_cpu(box.nodes, cpu);
}

void check_nodes(const Box& box, const config::SessionSync& sync, Report& report) {
  const sys::NumaNode* const home = node_of_lcore(box, sync);
  if (box.nodes.size() < 2 || home == nullptr) return;
  for (const auto& [device, number] : box.sync_nodes) {
    if (number == home->number) {
      report.well("box.numa");
      continue;
    }
    report.add({"box.numa", Severity::warning,
                "the session-sync port " + device + " is on NUMA node " + std::to_string(number) +
                    ", and the data plane's CPU on node " + std::to_string(home->number),
                "every frame crosses from one to the other",
                "name a CPU of node " + std::to_string(number) +
                    " ('lscpu') in session_sync.lcores in node.yaml, then 'systemctl restart "
                    "hotpair-dataplane'"});
  }
}

void check_hugepages(const Box& box, Report& report) {
  if (!box.hugepages_total) return;
  if (*box.hugepages_total > 0) return report.well("box.hugepages");
  report.add({"box.hugepages", Severity::problem,
              "session_sync.hugepages is true and this box has reserved none",
              "nr_hugepages is 0, for instance because it was not kept over a reboot",
              "sysctl -w vm.nr_hugepages=512 and keep it in /etc/sysctl.d, or set 'session_sync: { "
              "hugepages: false }' in node.yaml"});
}

void check_sync_port(const Box& box, Report& report) {
  for (const PciDevice& device : box.pci) {
    if (!device.exists)
      report.add({"box.sync-port-missing", Severity::problem,
                  "session_sync.devices names " + device.address + ", and there is no such device",
                  "the card is in another slot, or node.yaml is another box's",
                  "find it with 'dpdk-devbind.py --status' and correct node.yaml"});
    else if (device.driver != "vfio-pci" && device.driver != "uio_pci_generic" &&
             !device.driver.starts_with("mlx"))
      report.add({"box.sync-port-driver", Severity::problem,
                  device.address + " is bound to " +
                      (device.driver.empty() ? std::string("no driver") : device.driver) +
                      ", which DPDK cannot use",
                  "after a boot the kernel's own driver takes a NIC first",
                  "modprobe vfio-pci && dpdk-devbind.py -b vfio-pci " + device.address});
    else
      report.well("box.sync-port-driver");
  }
  for (const std::string& nic : box.sync_nics) {
    if (!box.absent_nics.contains(nic)) {
      report.well("box.sync-port-missing");
      continue;
    }
    report.add({"box.sync-port-missing", Severity::problem,
                "session_sync.devices names " + nic + ", and there is no such device",
                "it has another name, or it was given to DPDK",
                "compare 'ip -br link' with session_sync.devices in node.yaml"});
  }
}

void check_units(const Box& box, Report& report) {
  for (const Unit& unit : box.units) {
    if (!unit.installed) {
      report.add({"box.unit-missing", Severity::warning, unit.name + " is not installed",
                  "hotpair was built and not installed, or only in part",
                  "cmake --install build/release --prefix /usr/local && systemctl daemon-reload"});
    } else if (!unit.enabled || !unit.active) {
      report.add({unit.active ? "box.unit-not-enabled" : "box.unit-not-active",
                  unit.active ? Severity::warning : Severity::problem,
                  unit.name + (unit.active ? " would not start at boot" : " does not run"),
                  unit.active
                      ? "it was started by hand and never enabled"
                      : "it was stopped, or failed: 'journalctl -u " + unit.name + " -n 50'",
                  "systemctl enable --now " + unit.name});
    } else {
      report.well("box.unit-not-active");
    }
  }
}

}  // namespace

void check_conntrack(const Box& box, bool session_pickup, Report& report) {
  const Conntrack& table = box.conntrack;
  if (!table.max) {
    report.add({"box.conntrack-absent", session_pickup ? Severity::problem : Severity::warning,
                "the kernel tracks no connections here",
                "nf_conntrack is not loaded; no rule of the firewall asks for a connection's state",
                "modprobe nf_conntrack; load the firewall's ruleset before hotpair starts"});
    return;
  }
  report.well("box.conntrack-absent");
  check_table_size(table, report);
  if (!session_pickup) return;
  if (table.events && *table.events == 0)
    report.add({"box.conntrack-events", Severity::problem,
                "connections made here may never be told to the other node",
                "net.netfilter.nf_conntrack_events is 0",
                "sysctl -w net.netfilter.nf_conntrack_events=1; keep it in /etc/sysctl.d"});
  else
    report.well("box.conntrack-events");
  if (table.loose && *table.loose != 0)
    report.add({"box.conntrack-loose", Severity::warning,
                "TCP connections that are not in the table are picked up in mid-stream",
                "net.netfilter.nf_conntrack_tcp_loose is 1: the kernel guesses what the replicated "
                "table knows, and translates such a connection anew",
                "sysctl -w net.netfilter.nf_conntrack_tcp_loose=0; keep it in /etc/sysctl.d"});
  else
    report.well("box.conntrack-loose");
}

void check_process(const Box& box, Report& report) {
  if (!box.agent.running) {
    if (box.root) return report.well("box.permissions");
    report.add({"box.not-root", Severity::warning, "the doctor itself does not run as root",
                "some of what it would look at is hidden from this user", "sudo hotpair doctor"});
    return;
  }
  if (const auto& has = box.agent.capabilities) {
    const std::uint64_t needed = 1ull << kNetAdmin | 1ull << kNetRaw;
    if ((*has & needed) == needed)
      report.well("box.permissions");
    else
      report.add({"box.permissions", Severity::problem,
                  "hotpaird lacks CAP_NET_ADMIN or CAP_NET_RAW",
                  "it was started by hand as a user, or a drop-in narrows its capabilities",
                  "systemctl cat hotpaird; run it by its unit, or as root"});
  }
  if (const auto& limit = box.agent.realtime_limit) {
    const bool may = *limit >= kRealtimeWanted ||
                     (box.agent.capabilities && (*box.agent.capabilities >> 23 & 1) != 0);
    if (may)
      report.well("box.realtime");
    else
      report.add(
          {"box.realtime", Severity::warning,
           "hotpaird may not run with real-time priority (limit " + std::to_string(*limit) + ")",
           "neither LimitRTPRIO= nor CAP_SYS_NICE was given: on a busy box its heartbeats "
           "leave late",
           "set LimitRTPRIO=60 in its unit, then 'systemctl restart hotpaird'"});
  }
  if (const auto& limit = box.agent.locked_bytes_limit) {
    const bool may = *limit >= kLockedWanted ||
                     (box.agent.capabilities && (*box.agent.capabilities >> 14 & 1) != 0);
    if (may)
      report.well("box.locked-memory");
    else
      report.add({"box.locked-memory", Severity::warning,
                  "hotpaird may lock only " + number(static_cast<std::int64_t>(*limit >> 10)) +
                      " KiB of memory",
                  "neither LimitMEMLOCK= nor CAP_IPC_LOCK was given: when memory is short it is "
                  "paged out and late",
                  "set LimitMEMLOCK=infinity in its unit, then 'systemctl restart hotpaird'"});
  }
}

void check_dataplane_room(const Box& box, const config::SessionSync& sync, Report& report) {
  if (sync.devices.empty()) return;
  if (sync.hugepages) check_hugepages(box, report);
  check_cpus(box, sync, report);
  check_nodes(box, sync, report);
  check_sync_port(box, report);
}

void check_system(const Box& box, Report& report) {
  if (box.clock_synchronised && !*box.clock_synchronised)
    report.add(
        {"box.clock", Severity::warning, "the clock of this box is not synchronised",
         "no time service has set it; the histories and logs of the two nodes cannot be laid "
         "side by side",
         "apt-get install chrony (or 'timedatectl set-ntp true')"});
  else if (box.clock_synchronised)
    report.well("box.clock");
  if (box.nf_tables && !*box.nf_tables)
    report.add({"box.nf-tables", Severity::problem, "the kernel has no nf_tables",
                "the module is missing or not loaded, so there is no firewall here",
                "modprobe nf_tables"});
  else if (box.nf_tables)
    report.well("box.nf-tables");
  if (box.systemd) check_units(box, report);
}

void check_box(const Box& box, const config::Config& config, Report& report) {
  check_process(box, report);
  check_system(box, report);
  check_heartbeat_nics(box, report);
  check_data_nics(box, report);
  check_forwarding(box, report);
  check_conntrack(box, config.cluster.session_pickup.enabled, report);
  check_firewall(box, config.cluster.session_pickup.enabled, report);
  check_dataplane_room(box, config.node.session_sync, report);
}

}  // namespace hotpair::ctl
