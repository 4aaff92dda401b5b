#include "agent/core/management_ports.hpp"

namespace hotpair::agent {
namespace {

std::string bracketed(bool ipv6, const std::string& address) {
  return ipv6 ? "[" + address + "]" : address;
}

// `target` is a node's address; one port of one of ours leads there.
std::string translation(const ManagementAddress& address, const char* protocol, std::uint32_t port,
                        const std::string& target, std::uint16_t service) {
  const std::string family = address.ipv6 ? "ip6" : "ip";
  return "    " + family + " daddr " + address.text + " " + protocol + " dport " +
         std::to_string(port) + " counter dnat " + family + " to " +
         bracketed(address.ipv6, target) + ":" + std::to_string(service) + "\n";
}

std::string translations(const ManagementPorts& ports) {
  std::string rules;
  for (const ManagementAddress& address : ports.addresses) {
    const std::string peer = address.ipv6 ? "" : ports.peer_ipv4;
    for (const std::uint16_t service : ports.services) {
      for (const char* protocol : {"tcp", "udp"}) {
        rules += translation(address, protocol, management_port(service, ports.self, ports.slot),
                             address.text, service);
        if (!peer.empty())
          rules +=
              translation(address, protocol,
                          management_port(service, other(ports.self), ports.slot), peer, service);
      }
    }
  }
  return rules;
}

// The other node answers to us, who alone know the way back. The address is named because the
// kernel would choose none of a link's scope.
std::string source(const ManagementPorts& ports) {
  if (ports.peer_ipv4.empty()) return {};
  return "    oifname \"" + ports.cluster_device + "\" ct status dnat ip daddr " + ports.peer_ipv4 +
         " snat ip to " + ports.own_ipv4 + "\n";
}

// From the other box come answers alone; whatever begins there is not forwarded, as without us.
std::string answers_only(const ManagementPorts& ports) {
  return "    iifname \"" + ports.cluster_device + "\" ct direction original drop\n";
}

}  // namespace

std::string management_removal() {
  const std::string table = std::string("table inet ") + kManagementTable;
  return table + " {}\ndelete " + table + "\n";
}

// Before other translations of the same hook: the first one counts, and these match an address and
// a port of ours alone.
std::string management_ruleset(const ManagementPorts& ports) {
  if (ports.services.empty() || ports.addresses.empty()) return {};
  return management_removal() + "table inet " + kManagementTable +
         " {\n  chain management {\n    type nat hook prerouting priority dstnat - 10;\n" +
         translations(ports) +
         "  }\n  chain management_back {\n    type nat hook postrouting priority srcnat - 10;\n" +
         source(ports) +
         "  }\n  chain cluster_network {\n    type filter hook forward priority filter - 10;\n" +
         answers_only(ports) + "  }\n}\n";
}

}  // namespace hotpair::agent
