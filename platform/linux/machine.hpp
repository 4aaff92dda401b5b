// Facts of this machine that a program may need to judge it: the state of its clock, the rights and
// limits of a process, whether the kernel has nf_tables.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <sys/types.h>

namespace hotpair::sys {

// Whether a time service keeps the clock (adjtimex(2), STA_UNSYNC); none: not permitted to ask.
std::optional<bool> clock_is_synchronised();

// Asks nf_tables for its generation (linux/netfilter/nf_tables.h); none: not permitted to ask.
std::optional<bool> has_nf_tables();

struct ProcessRights {
  std::optional<std::uint64_t> capabilities;  // effective, a bit each (linux/capability.h)
  std::optional<std::uint64_t> realtime_limit, locked_bytes_limit;  // UINT64_MAX: unlimited
};
ProcessRights read_process_rights(pid_t pid);

// A file of /proc or /sys without its final newline; none when it cannot be read.
std::optional<std::string> read_fact(const std::string& path);

}  // namespace hotpair::sys
