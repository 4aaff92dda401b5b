// Kernel settings under /proc/sys, of the network namespace the caller is in.
#pragma once

#include <cstdint>
#include <string>

#include "platform/base/result.hpp"

namespace hotpair::sys {

// Names are paths below /proc/sys with slashes ("net/ipv4/conf/eth0.10/arp_ignore"): device names
// have dots.
Result<std::string> read_sysctl(const std::string& name);  // without the newline
Result<std::int64_t> read_sysctl_number(const std::string& name);
Status write_sysctl(const std::string& name, const std::string& value);

}  // namespace hotpair::sys
