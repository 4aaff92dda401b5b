// Running on time: real-time priority, memory that is never paged out, thread names. Each says
// whether it was permitted and, if not, what would permit it; a program goes on without.
#pragma once

#include <optional>
#include <string>

#include "platform/base/result.hpp"

namespace hotpair::sys {

// SCHED_FIFO for the calling thread, 1-99. Processes it starts do not inherit it.
Status set_realtime_priority(int priority);
Status lock_memory();  // mlockall, present and future pages
// The last CPU this process may run on, when there is more than one.
std::optional<unsigned> last_of_several_cpus();
// The calling thread, and what it starts from now on, runs on that CPU alone.
Status run_on_cpu(unsigned cpu);
// The calling thread, and what it starts from now on, never runs on that CPU again, but for
// give_way(); nothing happens when it is the only one.
void keep_off_cpu(unsigned cpu);
// For the calling thread: work that may take long gives way to what is on time without being of
// real-time priority, the kernel's own packet threads among it. Where keep_off_cpu() left one CPU,
// this thread goes to the other: a kernel without preemption would hold the one for milliseconds.
void give_way();
void set_thread_name(const std::string& name);  // cut to 15 bytes

}  // namespace hotpair::sys
