// What the box's interfaces and its forwarding must be like.
#include <algorithm>
#include <map>

#include "tools/ctl/doctor/box.hpp"

namespace hotpair::ctl {
namespace {

// The largest sealed heartbeat with its headers fits a standard Ethernet frame.
constexpr std::uint32_t kHeartbeatMtu = 1500;
constexpr std::uint32_t kSlowHeartbeat = 100;  // Mbit/s

std::string by_name(const Nic& nic) {
  return nic.name == nic.device || nic.use == Nic::Use::heartbeat
             ? nic.device
             : nic.name + " (" + nic.device + ")";
}

std::string conf(const char* family, const Nic& nic, const char* key) {
  // sysctl takes a slash where the name has a dot.
  std::string device = nic.device;
  std::replace(device.begin(), device.end(), '.', '/');
  return std::string("sysctl -w net.") + family + ".conf." + device + "." + key + "=";
}

// True when there is a link to say more about.
bool check_link(const Nic& nic, const char* down_id, const char* consequence, Report& report) {
  if (!nic.exists) {
    report.add({"config.device-missing", Severity::problem,
                by_name(nic) + ": there is no such device",
                "its name in node.yaml is another than the kernel's, or the NIC or its driver is "
                "missing",
                "compare 'ip -br link' with node.yaml"});
    return false;
  }
  if (nic.carrier) {
    report.well(down_id);
    return true;
  }
  report.add(
      {down_id, Severity::problem,
       by_name(nic) + (nic.admin_up ? " has no carrier" : " is switched off") + ": " + consequence,
       nic.admin_up ? "the cable, the port at the other end, or the other box is off"
                    : "nobody has set it up, for instance after a boot",
       nic.admin_up ? "check the cable; 'ethtool " + nic.device + "'"
                    : "ip link set " + nic.device + " up"});
  return false;
}

void check_duplex(const Nic& nic, const char* id, Report& report) {
  if (nic.duplex == Nic::Duplex::unknown) return;
  if (nic.duplex == Nic::Duplex::full) return report.well(id);
  report.add({id, Severity::problem, by_name(nic) + " runs half duplex",
              "one end negotiates and the other is fixed: collisions delay and lose frames",
              "ethtool -s " + nic.device + " autoneg on, and the same at the other end"});
}

// Two paths over one piece of hardware die together.
void check_independence(const std::vector<const Nic*>& heartbeats, Report& report) {
  std::map<std::string, std::string> first;
  bool shared = false;
  for (const Nic* nic : heartbeats) {
    const std::string below = nic->parent.empty() ? nic->device : nic->parent;
    const std::string card = nic->bus.empty() ? "" : nic->bus.substr(0, nic->bus.find_last_of('.'));
    for (const std::string& what : {"device " + below, card.empty() ? card : "card " + card}) {
      if (what.empty()) continue;
      const auto [known, fresh] = first.emplace(what, nic->device);
      if (fresh) continue;
      shared = true;
      const bool one_device = what.starts_with("device");
      report.add(
          {one_device ? "pair.paths-share-device" : "pair.paths-share-card", Severity::warning,
           "heartbeat interfaces " + known->second + " and " + nic->device + " are on one " + what,
           "one failure takes both paths at once, and then a dead " +
               std::string(one_device ? "cable" : "card") + " looks like a dead node",
           "move one of them to another NIC under heartbeat_interfaces in node.yaml"});
      break;
    }
  }
  if (!shared && heartbeats.size() > 1) report.well("pair.paths-share-device");
}

void check_one_heartbeat(const Nic& nic, Report& report) {
  if (nic.exists && nic.mtu < kHeartbeatMtu) {
    report.add({"box.heartbeat-mtu", Severity::problem,
                nic.device + " has an MTU of " + std::to_string(nic.mtu) +
                    ": long heartbeats are too big for it",
                "it was set smaller than Ethernet's 1500 bytes, here or by a tunnel below",
                "ip link set " + nic.device + " mtu 1500, on both nodes and on the switch"});
  } else if (nic.exists) {
    report.well("box.heartbeat-mtu");
  }
  if (!check_link(nic, "box.heartbeat-link", "a heartbeat path is missing", report)) return;
  check_duplex(nic, "box.heartbeat-duplex", report);
  if (nic.speed_mbps && *nic.speed_mbps < kSlowHeartbeat)
    report.add({"box.heartbeat-speed", Severity::warning,
                nic.device + " runs at " + std::to_string(*nic.speed_mbps) + " Mbit/s",
                "a worn cable or a fixed speed at the other end",
                "ethtool -s " + nic.device + " autoneg on; replace the cable"});
}

void check_reverse_path(const Nic& nic, const Forwarding& all, Report& report) {
  if (!nic.rp_filter || !all.rp_filter || !nic.has_ipv4) return;
  if (std::max(*nic.rp_filter, *all.rp_filter) != 1) return report.well("box.rp-filter");
  report.add({"box.rp-filter", Severity::warning,
              by_name(nic) + " filters by strict reverse path (rp_filter 1)",
              "where routes are not the same both ways, packets are dropped without a trace, above "
              "all in the moments around a takeover",
              conf("ipv4", nic, "rp_filter") + "2; net.ipv4.conf.all.rp_filter too when it is 1"});
}

void check_ipv6(const Nic& nic, Report& report) {
  if (!nic.has_ipv6) return;
  if (nic.ipv6_disabled && *nic.ipv6_disabled != 0)
    report.add({"box.ipv6-disabled", Severity::problem,
                by_name(nic) + " has IPv6 switched off, and IPv6 addresses are to follow there",
                "net.ipv6.conf.*.disable_ipv6 is 1", conf("ipv6", nic, "disable_ipv6") + "0"});
  else
    report.well("box.ipv6-disabled");
  if (nic.ipv6_forwarding && *nic.ipv6_forwarding == 0)
    report.add({"box.ipv6-forwarding", Severity::problem, by_name(nic) + " does not forward IPv6",
                "net.ipv6.conf." + nic.device + ".forwarding is 0",
                "sysctl -w net.ipv6.conf.all.forwarding=1; keep it in /etc/sysctl.d"});
  else
    report.well("box.ipv6-forwarding");
}

// With a MAC of its own an address must be answered by its device alone.
void check_arp(const Nic& nic, const Forwarding& all, Report& report) {
  if (!nic.virtual_mac || !nic.arp_ignore || !nic.arp_announce) return;
  const auto ignore = std::max(*nic.arp_ignore, all.arp_ignore.value_or(0));
  const auto announce = std::max(*nic.arp_announce, all.arp_announce.value_or(0));
  if (ignore >= 1 && announce >= 1) return report.well("box.arp-flux");
  report.add({"box.arp-flux", Severity::warning,
              by_name(nic) +
                  " has a virtual MAC and answers ARP for addresses of other devices "
                  "(arp_ignore " +
                  std::to_string(ignore) + ", arp_announce " + std::to_string(announce) + ")",
              "the neighbours may learn the NIC's own MAC for a shared address and keep it through "
              "a takeover",
              conf("ipv4", nic, "arp_ignore") + "1; " + conf("ipv4", nic, "arp_announce") + "2"});
}

}  // namespace

void check_heartbeat_nics(const Box& box, Report& report) {
  std::vector<const Nic*> heartbeats;
  for (const Nic& nic : box.nics)
    if (nic.use == Nic::Use::heartbeat) heartbeats.push_back(&nic);
  for (const Nic* nic : heartbeats) check_one_heartbeat(*nic, report);
  check_independence(heartbeats, report);
}

void check_data_nics(const Box& box, Report& report) {
  for (const Nic& nic : box.nics) {
    if (nic.use != Nic::Use::data) continue;
    check_reverse_path(nic, box.forwarding, report);
    check_ipv6(nic, report);
    check_arp(nic, box.forwarding, report);
    if (!check_link(nic, "box.data-link", "this node's health is lower by it", report)) continue;
    check_duplex(nic, "box.data-duplex", report);
    if (nic.large_receive_offload)
      report.add({"box.large-receive-offload", Severity::warning,
                  by_name(nic) + " joins received packets (large receive offload)",
                  "joined packets cannot be forwarded as they came",
                  "ethtool -K " + nic.device + " lro off"});
  }
}

void check_forwarding(const Box& box, Report& report) {
  const bool wanted =
      std::any_of(box.nics.begin(), box.nics.end(), [](const Nic& nic) { return nic.has_ipv4; });
  if (!wanted || !box.forwarding.ipv4) return;
  if (*box.forwarding.ipv4 != 0) return report.well("box.ip-forward");
  report.add({"box.ip-forward", Severity::problem, "this box does not forward IPv4",
              "net.ipv4.ip_forward is 0",
              "sysctl -w net.ipv4.ip_forward=1; keep it in /etc/sysctl.d"});
}

}  // namespace hotpair::ctl
