// Fills a Box from the kernel. Reads only; what is absent or not permitted is left out.
#include <charconv>
#include <filesystem>

#include <unistd.h>

#include "platform/base/dpdk_device.hpp"
#include "platform/base/own_names.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/ethtool.hpp"
#include "platform/linux/event_loop.hpp"
#include "platform/linux/machine.hpp"
#include "platform/linux/netlink_link.hpp"
#include "platform/linux/nftables_summary.hpp"
#include "platform/linux/sysctl.hpp"
#include "platform/linux/systemd_bus.hpp"
#include "tools/ctl/doctor/box.hpp"

namespace hotpair::ctl {
namespace {

namespace fs = std::filesystem;

constexpr Duration kBusPatience = 1s;

Number sysctl(const std::string& name) {
  const auto value = sys::read_sysctl_number(name);
  return value ? Number(*value) : std::nullopt;
}

std::set<unsigned> cpus(const std::string& path) {
  const auto text = sys::read_fact(path);
  return text ? parse_cpu_list(*text) : std::set<unsigned>();
}

bool exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

void read_link(const sys::LinkMonitor& links, Nic& nic) {
  const sys::LinkInfo* link = links.find(nic.device);
  if (link == nullptr) return;
  nic.exists = true;
  nic.admin_up = link->admin_up;
  nic.carrier = link->carrier;
  nic.mtu = link->mtu;
  nic.speed_mbps = link->speed_mbps;
  if (const sys::LinkInfo* parent = link->parent ? links.find(link->parent) : nullptr;
      parent && (link->kind == "vlan" || link->kind == "macvlan"))
    nic.parent = parent->name;
  if (const auto driver = sys::read_driver_facts(nic.device)) {
    nic.duplex = static_cast<Nic::Duplex>(driver->duplex);
    nic.bus = driver->bus;
    nic.large_receive_offload = driver->large_receive_offload;
  }
}

void read_conf(Nic& nic) {
  const std::string four = "net/ipv4/conf/" + nic.device + "/";
  const std::string six = "net/ipv6/conf/" + nic.device + "/";
  nic.rp_filter = sysctl(four + "rp_filter");
  nic.arp_ignore = sysctl(four + "arp_ignore");
  nic.arp_announce = sysctl(four + "arp_announce");
  nic.ipv6_forwarding = sysctl(six + "forwarding");
  nic.ipv6_disabled = sysctl(six + "disable_ipv6");
}

std::vector<Nic> named_nics(const config::Config& config) {
  std::vector<Nic> nics;
  for (const auto& heartbeat : config.node.heartbeat_interfaces) {
    Nic nic;
    nic.use = Nic::Use::heartbeat;
    nic.name = nic.device = heartbeat.interface;
    nics.push_back(std::move(nic));
  }
  std::set<std::string> names(config.cluster.monitor.interfaces.begin(),
                              config.cluster.monitor.interfaces.end());
  for (const auto& redundant : config.cluster.redundant_interfaces)
    names.insert(redundant.interface);
  for (const std::string& name : names) {
    Nic nic;
    nic.name = name;
    nic.device = config.node.device(name);
    for (const auto& redundant : config.cluster.redundant_interfaces) {
      if (redundant.interface != name) continue;
      nic.virtual_mac = redundant.virtual_mac;
      for (const auto& address : redundant.addresses)
        (address.ipv6 ? nic.has_ipv6 : nic.has_ipv4) = true;
    }
    nics.push_back(std::move(nic));
  }
  return nics;
}

Conntrack read_conntrack() {
  const std::string at = "net/netfilter/nf_conntrack_";
  return {sysctl(at + "max"), sysctl(at + "buckets"), sysctl(at + "count"), sysctl(at + "events"),
          sysctl(at + "tcp_loose")};
}

PciDevice read_pci(const std::string& address) {
  const std::string at = "/sys/bus/pci/devices/" + address;
  PciDevice device{address, "", exists(at)};
  std::error_code error;
  const fs::path driver = fs::read_symlink(at + "/driver", error);
  if (!error) device.driver = driver.filename();
  return device;
}

void read_sync_ports(const config::SessionSync& sync, const sys::LinkMonitor* links, Box& box) {
  for (const std::string& device : sync.devices) {
    const auto node = sys::numa_node_of_device(device);
    if (const std::string nic = kernel_interface_of(device); !nic.empty()) {
      box.sync_nics.push_back(nic);
      if (links && links->find(nic) == nullptr) box.absent_nics.insert(nic);
      if (node) box.sync_nodes[nic] = *node;
    } else if (const auto address = pci_address_of(device)) {
      box.pci.push_back(read_pci(*address));
      if (node) box.sync_nodes[*address] = *node;
    }
  }
}

Unit read_unit(const std::string& name) {
  Unit unit{name};
  for (const char* place : {"/etc/systemd/system/", "/usr/lib/systemd/system/",
                            "/usr/local/lib/systemd/system/", "/lib/systemd/system/"})
    unit.installed = unit.installed || exists(place + name);
  unit.enabled = exists("/etc/systemd/system/multi-user.target.wants/" + name);
  unit.active = exists("/sys/fs/cgroup/system.slice/" + name);
  return unit;
}

// Empty: it is not installed, or systemd does not say in time.
std::string active_state_of(const std::string& unit) {
  auto loop = sys::EventLoop::create();
  if (!loop) return {};
  std::string active;
  bool over = false;
  const auto bus = sys::SystemdBus::connect(**loop, "",
                                            {[&](const std::string&, const sys::UnitState& state) {
                                               over = true;
                                               if (state.load_state == "loaded")
                                                 active = state.active_state;
                                             },
                                             [&](const std::string&) { over = true; }});
  if (!bus || !(*bus)->watch(unit)) return {};
  for (const Instant end = sys::now() + kBusPatience; !over && sys::now() < end;)
    (void)(*loop)->run_once(end - sys::now());
  return active;
}

std::optional<Firewall> read_firewall() {
  const auto summary = sys::read_nft_summary(kOwnNftTable);
  if (!summary) return std::nullopt;
  bool others = false;
  for (const char* names : {"/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"})
    others = others || !sys::read_fact(names).value_or("").empty();
  return Firewall{summary->tables, summary->tracks, others};
}

Number memory_field(const std::string& text, const std::string& name) {
  const auto at = text.find(name + ":");
  if (at == std::string::npos) return std::nullopt;
  const auto digits = text.find_first_of("0123456789", at);
  std::int64_t value = 0;
  if (digits == std::string::npos ||
      std::from_chars(text.data() + digits, text.data() + text.size(), value).ec != std::errc())
    return std::nullopt;
  return value;
}

bool runs(const std::string& program) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string pid = entry.path().filename();
    if (pid.find_first_not_of("0123456789") == std::string::npos &&
        sys::read_fact(entry.path() / "comm") == program)
      return true;
  }
  return false;
}

}  // namespace

std::set<unsigned> parse_cpu_list(const std::string& text) {
  constexpr unsigned kMost = 4096;
  std::set<unsigned> found;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    unsigned first = 0;
    const auto one = std::from_chars(at, end, first);
    if (one.ec != std::errc()) break;
    unsigned last = first;
    at = one.ptr;
    if (at < end && *at == '-') at = std::from_chars(at + 1, end, last).ptr;
    for (unsigned cpu = first; cpu <= last && cpu < kMost; ++cpu) found.insert(cpu);
    if (at < end && *at != ',') break;
    ++at;
  }
  return found;
}

Box read_box(const config::Config& config, std::optional<pid_t> agent) {
  Box box;
  box.root = geteuid() == 0;
  if (agent) {
    const auto rights = sys::read_process_rights(*agent);
    box.agent = {true, rights.capabilities, rights.realtime_limit, rights.locked_bytes_limit};
  }
  box.clock_synchronised = sys::clock_is_synchronised();
  const auto links = sys::LinkMonitor::open();
  box.nics = named_nics(config);
  for (Nic& nic : box.nics) {
    if (links) read_link(**links, nic);
    read_conf(nic);
  }
  box.forwarding = {sysctl("net/ipv4/ip_forward"), sysctl("net/ipv6/conf/all/forwarding"),
                    sysctl("net/ipv4/conf/all/rp_filter"), sysctl("net/ipv4/conf/all/arp_ignore"),
                    sysctl("net/ipv4/conf/all/arp_announce")};
  box.conntrack = read_conntrack();
  box.nf_tables = sys::has_nf_tables();
  box.firewall = read_firewall();
  if (const auto memory = sys::read_fact("/proc/meminfo")) {
    box.hugepages_total = memory_field(*memory, "HugePages_Total");
    box.hugepages_free = memory_field(*memory, "HugePages_Free");
  }
  box.online = cpus("/sys/devices/system/cpu/online");
  box.isolated = cpus("/sys/devices/system/cpu/isolated");
  box.tickless = cpus("/sys/devices/system/cpu/nohz_full");
  box.nodes = sys::numa_nodes();
  box.irqbalance = runs("irqbalance");
  read_sync_ports(config.node.session_sync, links ? links->get() : nullptr, box);
  box.systemd = exists("/run/systemd/system");
  for (const char* unit : {"hotpaird.service", "hotpair-dataplane.service"})
    if (box.systemd) box.units.push_back(read_unit(unit));
  if (box.systemd) box.firewall_unit = active_state_of("nftables.service");
  return box;
}

}  // namespace hotpair::ctl
