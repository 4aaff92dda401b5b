#include "agent/daemon/box_facts.hpp"

#include <set>
#include <sstream>

#include <sys/utsname.h>

#include "agent/daemon/config_command.hpp"
#include "platform/linux/machine.hpp"
#include "platform/linux/sysctl.hpp"

namespace hotpair::daemon {
namespace {

constexpr const char* kAbsent = "-";
constexpr Duration kPackagesTimeout = 5s;

constexpr const char* kSettings[] = {
    "net/ipv4/ip_forward",
    "net/ipv6/conf/all/forwarding",
    "net/ipv4/conf/all/rp_filter",
    "net/ipv4/conf/default/rp_filter",
    "net/ipv4/conf/all/accept_redirects",
    "net/ipv4/conf/all/send_redirects",
    "net/ipv4/conf/all/arp_ignore",
    "net/ipv4/conf/all/arp_announce",
    "net/ipv6/conf/all/accept_ra",
    "net/ipv6/conf/all/disable_ipv6",
    "net/ipv4/neigh/default/gc_thresh3",
    "net/ipv6/neigh/default/gc_thresh3",
    "net/ipv4/fib_multipath_hash_policy",
    "net/ipv6/fib_multipath_hash_policy",
    "net/ipv4/nexthop_compat_mode",
    "net/netfilter/nf_conntrack_max",
    "net/netfilter/nf_conntrack_buckets",
    "net/netfilter/nf_conntrack_events",
    "net/netfilter/nf_conntrack_acct",
    "net/netfilter/nf_conntrack_checksum",
    "net/netfilter/nf_conntrack_tcp_loose",
    "net/netfilter/nf_conntrack_tcp_be_liberal",
    "net/netfilter/nf_conntrack_tcp_timeout_established",
    "net/netfilter/nf_conntrack_udp_timeout",
    "net/netfilter/nf_conntrack_udp_timeout_stream",
    "net/netfilter/nf_conntrack_icmp_timeout",
    "net/netfilter/nf_conntrack_generic_timeout",
};

// Loaded or not; what is built into the kernel counts as loaded (/sys/module knows most of both).
constexpr const char* kModules[] = {
    "nf_conntrack",
    "nf_conntrack_ftp",
    "nf_conntrack_sip",
    "nf_conntrack_tftp",
    "nf_conntrack_h323",
    "nf_conntrack_pptp",
    "nf_nat",
    "nf_nat_ftp",
    "nf_nat_sip",
    "nf_tables",
    "nf_flow_table",
    "nf_synproxy_core",
    "bonding",
    "team",
    "8021q",
    "vrf",
    "macvlan",
    "wireguard",
    "esp4",
    "esp6",
    "ip_vs",
    "sctp",
};

constexpr const char* kPackages[] = {
    "hotpair",    "nftables", "libnftables1", "iproute2",        "conntrack",        "dpdk",
    "frr",        "bird2",    "strongswan",   "wireguard-tools", "openvpn",          "suricata",
    "keepalived", "unbound",  "dnsmasq",      "openssh-server",  "kea-dhcp4-server",
};

std::string dotted(std::string name) {
  for (char& c : name) c = c == '/' ? '.' : c;
  return name;
}

void read_settings(BoxFacts& facts) {
  for (const char* name : kSettings) {
    const auto value = sys::read_sysctl(name);
    facts["sysctl " + dotted(name)] = value ? *value : kAbsent;
  }
}

void read_modules(BoxFacts& facts) {
  std::set<std::string> loaded;
  std::istringstream lines(sys::read_fact("/proc/modules").value_or(""));
  for (std::string line; std::getline(lines, line);) loaded.insert(line.substr(0, line.find(' ')));
  for (const char* name : kModules) {
    const bool built_in = sys::read_fact("/sys/module/" + std::string(name) + "/uevent") ||
                          sys::read_fact("/sys/module/" + std::string(name) + "/version");
    facts["module " + std::string(name)] = loaded.contains(name) || built_in ? "loaded" : kAbsent;
  }
}

void read_interfaces(const std::map<std::string, std::string>& devices, BoxFacts& facts) {
  for (const auto& [name, device] : devices) {
    const auto mtu = sys::read_fact("/sys/class/net/" + device + "/mtu");
    facts["interface " + name] = mtu ? "mtu " + *mtu : kAbsent;
  }
}

void read_versions(const std::atomic<bool>& stopping, BoxFacts& facts) {
  utsname system{};
  if (::uname(&system) == 0) {
    facts["kernel"] = system.release;
    facts["architecture"] = system.machine;
  }
  facts["version of hotpaird"] = HOTPAIR_VERSION;
  std::vector<std::string> argv = {"dpkg-query", "-W", "-f", "${Package} ${Version}\n"};
  for (const char* name : kPackages) argv.emplace_back(name);
  const auto said = output_of_command(std::move(argv), kPackagesTimeout, stopping);
  if (!said) return;  // no dpkg here: nothing is known of packages
  for (const char* name : kPackages) facts["package " + std::string(name)] = kAbsent;
  std::istringstream lines(*said);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t space = line.find(' ');
    const auto package = facts.find("package " + line.substr(0, space));
    if (space == std::string::npos || package == facts.end()) continue;
    if (space + 1 < line.size()) package->second = line.substr(space + 1);
  }
}

}  // namespace

BoxFacts read_box_facts(const std::map<std::string, std::string>& devices,
                        const std::atomic<bool>& stopping) {
  BoxFacts facts;
  read_settings(facts);
  read_modules(facts);
  read_interfaces(devices, facts);
  read_versions(stopping, facts);
  return facts;
}

std::vector<FactDifference> differing_facts(const BoxFacts& own, const BoxFacts& peer) {
  std::vector<FactDifference> differences;
  for (const auto& [name, value] : own) {
    const auto there = peer.find(name);
    if (there != peer.end() && there->second != value)
      differences.push_back({name, value, there->second});
  }
  return differences;
}

}  // namespace hotpair::daemon
