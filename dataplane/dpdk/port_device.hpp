// Why a device cannot be the session-sync port, found out before DPDK is asked: its own answers say
// little.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "platform/base/result.hpp"

namespace hotpair::dpdk {

// The packet socket that this process has open on an interface, as the af_packet driver does:
// polling it tells of frames without reading them. -1 when there is none.
int packet_socket_of(unsigned interface_index);

// Bytes; 0 when there is no such interface.
std::size_t kernel_mtu(const std::string& interface);

// Bytes for a jumbo frame and what a driver puts before it; a packet buffer must have as many.
constexpr std::size_t kJumboSlot = 9216;

// The device string as DPDK is told it: where the kernel interface takes jumbo frames and the
// string says nothing about it, with rings whose slots hold them (the driver's own are of 2048
// bytes).
std::string with_jumbo_rings(const std::string& device);

// What stands in the way, as a sentence with the command that would mend it; brings a kernel
// interface up.
Status prepare_device(const std::string& device);

// What af_xdp may have been refused for, and what mends it, beginning with "; "; empty for others.
std::string af_xdp_needs(const std::string& device);

// The sentence for a device that DPDK refused although nothing known stood in the way.
std::string explain_refusal(const std::string& device, int error);

}  // namespace hotpair::dpdk
