// A macvlan: a device with a MAC address of its own on top of another. Sources: rtnetlink(7),
// linux/if_link.h (IFLA_MACVLAN_MODE).
#pragma once

#include <string>

#include "platform/base/result.hpp"
#include "platform/base/time.hpp"
#include "platform/linux/ip_address.hpp"

namespace hotpair::sys {

struct MacvlanOptions {
  std::string name;
  int parent = 0;  // ifindex
  MacAddress mac{};
  int master = 0;  // ifindex of the VRF it shall belong to; 0: none
};

// Makes it, down, in bridge mode: other macvlans of the same device (a container's) reach it, which
// they do not in private mode. Opens a socket of its own and waits for the kernel. Fails when a
// device of that name exists.
Status create_macvlan(const MacvlanOptions& options, Duration timeout = 1s);

}  // namespace hotpair::sys
