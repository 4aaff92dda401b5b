#include "agent/daemon/warden_process.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <optional>
#include <string_view>

#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/daemon/warden.hpp"
#include "agent/daemon/warden_memory.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/scheduling.hpp"

namespace hotpair::daemon {
namespace {

class WardenProcess {
 public:
  WardenProcess(WardenMemory& memory, sys::AddressTable table)
      : memory_(memory), table_(std::move(table)) {}

  void run() {
    while (true) {
      pollfd waited{kWardenSocket, POLLIN, 0};
      const auto patience = wait_time();
      const timespec timeout{patience.value_or(0ns).count() / 1'000'000'000,
                             patience.value_or(0ns).count() % 1'000'000'000};
      const Instant began = sys::now();
      const int ready = ::ppoll(&waited, 1, patience ? &timeout : nullptr, nullptr);
      if (ready > 0 && !read_socket()) return;
      // Who was kept from running itself may not judge the other: the whole box stood still, and
      // the main loop, about to run, steps down by its own clock. The next look judges.
      const bool kept = patience && sys::now() - began > *patience + slack();
      if (!kept && memory_.armed.load() != 0 && late()) fence_late();
    }
  }

 private:
  // False: dismissed, or hotpaird is dead (and what it held has been withdrawn).
  bool read_socket() {
    char what = 0;
    const ssize_t got = ::recv(kWardenSocket, &what, 1, MSG_DONTWAIT);
    if (got == 1) return what != kDismiss;
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (memory_.armed.load() != 0) withdraw();  // each of the wardens: no harm in it
    return false;
  }

  // Until the tick as it stands now would be too old; none: not armed.
  std::optional<Duration> wait_time() const {
    if (memory_.armed.load() == 0) return std::nullopt;
    const Instant due{Duration(memory_.tick_ns.load() + memory_.detection_ns.load())};
    return std::max<Duration>(due - sys::now() + 100us, 1ms);
  }

  Duration slack() const { return Duration(memory_.detection_ns.load() / 4); }

  // Another that is at it already is given the time for it: it may have been killed meanwhile.
  bool late() const {
    const Fence fence = memory_.fence.load();
    const Duration more = fence == Fence::withdrawing ? kWithdrawalTime : Duration{};
    return fence != Fence::withdrawn && older_than(Duration(memory_.detection_ns.load()) + more);
  }

  bool older_than(Duration age) const {
    return sys::now().time_since_epoch().count() - memory_.tick_ns.load() > age.count();
  }

  // One of the wardens does it. What it judged by may be past by the time it is its turn.
  void fence_late() {
    Fence seen = Fence::none;
    const bool ours = memory_.fence.compare_exchange_strong(seen, Fence::withdrawing);
    if (!late_now(ours)) {
      if (ours) memory_.fence.store(Fence::none);
      return;
    }
    withdraw();
  }

  bool late_now(bool ours) const {
    return memory_.armed.load() != 0 &&
           (ours ? older_than(Duration(memory_.detection_ns.load())) : late());
  }

  void withdraw() {
    memory_.fence.store(Fence::withdrawing);
    const Removal& removal = memory_.removals[memory_.active.load() & 1];
    const std::size_t count = std::min<std::size_t>(removal.count, kMaxRemovals);
    table_.apply({removal.operations, count});
    memory_.armed.store(0);
    memory_.fence.store(Fence::withdrawn);
    (void)::send(kWardenSocket, &kDone, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  WardenMemory& memory_;
  sys::AddressTable table_;
};

// What ends a whole service is not meant for it: it gives the addresses back once hotpaird is gone.
// SIGABRT is what systemd sends to all of it when its watchdog ran out. It began with all blocked.
void ignore_signals() {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGABRT, SIGPIPE, SIGUSR1, SIGUSR2})
    std::signal(signal, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

WardenMemory* shared_memory() {
  struct stat file {};
  if (::fstat(kWardenMemoryFile, &file) != 0 || file.st_size != sizeof(WardenMemory))
    return nullptr;
  void* const shared = ::mmap(nullptr, sizeof(WardenMemory), PROT_READ | PROT_WRITE, MAP_SHARED,
                              kWardenMemoryFile, 0);
  return shared == MAP_FAILED ? nullptr : static_cast<WardenMemory*>(shared);
}

}  // namespace

bool is_warden(int argc, const char* const* argv) {
  return argc == 1 && std::string_view(argv[0]) == kWardenName;
}

int be_warden() {
  ignore_signals();
  // Descriptors of hotpaird kept open here would outlive it: its lock, its sockets.
  ::close_range(kWardenMemoryFile + 1, ~0U, 0);
  ::prctl(PR_SET_NAME, kWardenName);
  WardenMemory* const memory = shared_memory();
  auto table = sys::AddressTable::open();
  if (memory == nullptr || !table) {
    std::fprintf(stderr, "%s: %s\n", kWardenName,
                 memory == nullptr ? "only hotpaird starts it" : table.error().message.c_str());
    return 1;
  }
  (void)::sched_setaffinity(0, sizeof memory->cpus, &memory->cpus);
  (void)sys::set_realtime_priority(kWardenPriority);
  (void)sys::lock_memory();
  WardenProcess(*memory, std::move(table).value()).run();
  return 0;
}

}  // namespace hotpair::daemon
