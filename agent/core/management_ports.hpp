// How each node is reached through the management address that follows the primary: on port
//
//   service port x 100 + (chassis - 1) x 20 + slot
//
// of it, so 2201 and 2221 are SSH of chassis 1 and 2 with slot 1 (FGCP's special management ports).
// Pure: the numbers, and the nftables ruleset that carries them out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/core/types.hpp"
#include "platform/base/own_names.hpp"

namespace hotpair::agent {

constexpr std::uint32_t kManagementPortFactor = 100, kManagementPortsAChassis = 20;

// May be above 65535; the configuration refuses such a service port.
constexpr std::uint32_t management_port(std::uint32_t service, ChassisId chassis,
                                        std::uint32_t slot) {
  return service * kManagementPortFactor +
         (static_cast<std::uint32_t>(chassis) - 1) * kManagementPortsAChassis + slot;
}

struct ManagementAddress {
  bool ipv6 = false;
  std::string text;  // without a prefix length
};

struct ManagementPorts {
  ChassisId self = ChassisId::one;
  std::uint32_t slot = 1;
  std::vector<std::uint16_t> services;
  std::vector<ManagementAddress> addresses;
  // The two nodes on the cluster network; empty: it leads to this node alone. It has link-local
  // IPv6 addresses only, so IPv6 addresses always do.
  std::string own_ipv4, peer_ipv4;
  std::string cluster_device;
};

constexpr const char* kManagementTable = kOwnNftTable;  // of family inet

// What `nft -f` loads: our own table, made anew as a whole. Nothing of it depends on the role:
// where the address is not held no packet meets it. Empty when there is nothing to carry out.
std::string management_ruleset(const ManagementPorts& ports);
// What removes the table, whether it is there or not.
std::string management_removal();

}  // namespace hotpair::agent
