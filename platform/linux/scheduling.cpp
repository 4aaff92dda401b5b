#include "platform/linux/scheduling.hpp"

#include <atomic>
#include <cerrno>

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "platform/linux/system_error.hpp"

namespace hotpair::sys {

namespace {

// What keep_off_cpu() kept the program off when that left it one CPU; of the process.
std::atomic<int> other_of_two{-1};

}  // namespace

Status set_realtime_priority(int priority) {
  sched_param parameters{};
  parameters.sched_priority = priority;
  // Of this thread alone, and not inherited by what it starts.
  if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameters) == 0) return Ok{};
  if (errno == EPERM)
    return fail_with(
        "real-time priority was not permitted; grant it with 'LimitRTPRIO=' and "
        "'AmbientCapabilities=CAP_SYS_NICE' in the unit ('systemctl edit')");
  return fail_errno("cannot set real-time priority " + std::to_string(priority), errno);
}

Status lock_memory() {
  if (mlockall(MCL_CURRENT | MCL_FUTURE) == 0) return Ok{};
  if (errno == EPERM || errno == ENOMEM)
    return fail_with(
        "memory may not be locked and can be paged out; allow it with 'LimitMEMLOCK=infinity' in "
        "the unit ('systemctl edit')");
  return fail_errno("cannot lock memory", errno);
}

std::optional<unsigned> last_of_several_cpus() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) < 2)
    return std::nullopt;
  for (unsigned cpu = CPU_SETSIZE; cpu-- > 0;)
    if (CPU_ISSET(cpu, &allowed)) return cpu;
  return std::nullopt;
}

Status run_on_cpu(unsigned cpu) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(cpu, &only);
  if (sched_setaffinity(0, sizeof only, &only) == 0) return Ok{};
  return fail_errno("cannot run on CPU " + std::to_string(cpu), errno);
}

void keep_off_cpu(unsigned cpu) {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
  const bool was_allowed = CPU_ISSET(cpu, &allowed);
  CPU_CLR(cpu, &allowed);
  if (CPU_COUNT(&allowed) == 0) return;
  (void)sched_setaffinity(0, sizeof allowed, &allowed);
  if (was_allowed && CPU_COUNT(&allowed) == 1) other_of_two = static_cast<int>(cpu);
}

void give_way() {
  constexpr int kNice = 10;
  (void)setpriority(PRIO_PROCESS, 0, kNice);  // 0: this thread alone, see setpriority(2)
  if (const int cpu = other_of_two; cpu >= 0) (void)run_on_cpu(static_cast<unsigned>(cpu));
}

void set_thread_name(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
}

}  // namespace hotpair::sys
