// Who unplugs a NIC that is on vfio-pci asks the program that uses it to let go, and waits until it
// does: a kernel that takes one away, and the hypervisor behind it. Requests come on a thread of
// DPDK's and are taken on ours.
#pragma once

#include <string>

#include "platform/base/result.hpp"

namespace hotpair::dpdk {

// Once, after DPDK's start.
Status listen_for_device_requests();

// Whether the device of that name, as DPDK calls it ("0000:3b:00.1"), is wanted back; says so once
// a request. The kernel repeats what is not heeded.
bool take_device_request(const std::string& name);

}  // namespace hotpair::dpdk
