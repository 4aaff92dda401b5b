#include "agent/daemon/warden.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/linux/clock.hpp"
#include "platform/linux/scheduling.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::daemon {
namespace {

enum Fence : std::uint32_t { kNone = 0, kWithdrawing = 1, kWithdrawn = 2 };
constexpr char kDismiss = 'q', kWake = 'w', kDone = 'd';
constexpr int kWithdrawalMs = 100;

struct Removal {
  std::uint32_t count = 0;
  sys::AddressOperation operations[kMaxRemovals];
};

}  // namespace

// Two lists, of which `active` names the one to use: the warden may look at any moment, also while
// hotpaird is stopped in the middle of writing the other.
struct WardenMemory {
  std::atomic<std::int64_t> tick_ns{0};
  std::atomic<std::int64_t> detection_ns{0};
  std::atomic<std::uint32_t> armed{0};
  std::atomic<std::uint32_t> fence{kNone};
  std::atomic<std::uint32_t> active{0};
  Removal removals[2];
};
static_assert(std::is_trivially_copyable_v<sys::AddressOperation>);
static_assert(std::atomic<std::int64_t>::is_always_lock_free);

namespace {

class WardenProcess {
 public:
  WardenProcess(WardenMemory& memory, int socket, sys::AddressTable table)
      : memory_(memory), socket_(socket), table_(std::move(table)) {}

  [[noreturn]] void run() {
    while (true) {
      pollfd waited{socket_, POLLIN, 0};
      const auto patience = wait_time();
      const timespec timeout{patience.value_or(0ns).count() / 1'000'000'000,
                             patience.value_or(0ns).count() % 1'000'000'000};
      const Instant began = sys::now();
      const int ready = ::ppoll(&waited, 1, patience ? &timeout : nullptr, nullptr);
      if (ready > 0 && !read_socket()) ::_exit(0);
      // Who was kept from running itself may not judge the other: the whole box stood still, and
      // the main loop, about to run, steps down by its own clock. The next look judges.
      const bool kept = patience && sys::now() - began > *patience + slack();
      if (!kept && memory_.armed.load() != 0 && late()) fence();
    }
  }

 private:
  // False: dismissed, or hotpaird is dead (and what it held has been withdrawn).
  bool read_socket() {
    char what = 0;
    const ssize_t got = ::recv(socket_, &what, 1, MSG_DONTWAIT);
    if (got == 1) return what != kDismiss;
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (memory_.armed.load() != 0) fence();
    return false;
  }

  // Until the tick as it stands now would be too old; none: not armed.
  std::optional<Duration> wait_time() const {
    if (memory_.armed.load() == 0) return std::nullopt;
    const Instant due{Duration(memory_.tick_ns.load() + memory_.detection_ns.load())};
    return std::max<Duration>(due - sys::now() + 100us, 1ms);
  }

  Duration slack() const { return Duration(memory_.detection_ns.load() / 4); }

  bool late() const {
    const std::int64_t age = sys::now().time_since_epoch().count() - memory_.tick_ns.load();
    return memory_.fence.load() == kNone && age > memory_.detection_ns.load();
  }

  void fence() {
    memory_.fence.store(kWithdrawing);
    const Removal& removal = memory_.removals[memory_.active.load() & 1];
    const std::size_t count = std::min<std::size_t>(removal.count, kMaxRemovals);
    table_.apply({removal.operations, count});
    memory_.armed.store(0);
    memory_.fence.store(kWithdrawn);
    (void)::send(socket_, &kDone, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  WardenMemory& memory_;
  int socket_;
  sys::AddressTable table_;
};

void rename_process(std::span<char> arguments) {
  constexpr const char* kName = "hotpair-warden";
  std::memset(arguments.data(), 0, arguments.size());
  std::strncpy(arguments.data(), kName, arguments.size() - 1);
  ::prctl(PR_SET_NAME, kName);
}

// What ends a whole service is not meant for it: it gives the addresses back once hotpaird is gone.
// SIGABRT is what systemd sends to all of it when its watchdog ran out.
void ignore_signals() {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGABRT, SIGPIPE, SIGUSR1, SIGUSR2})
    std::signal(signal, SIG_IGN);
}

[[noreturn]] void be_warden(WardenMemory& memory, int socket, std::span<char> arguments) {
  // Descriptors of hotpaird kept open here would outlive it: its lock, its sockets.
  if (socket > 3) ::close_range(3, static_cast<unsigned>(socket) - 1, 0);
  ::close_range(static_cast<unsigned>(socket) + 1, ~0U, 0);
  rename_process(arguments);
  ignore_signals();
  auto table = sys::AddressTable::open();
  if (!table) ::_exit(1);
  (void)sys::set_realtime_priority(kWardenPriority);
  (void)sys::lock_memory();
  WardenProcess(memory, socket, std::move(table).value()).run();
}

}  // namespace

Result<std::unique_ptr<Warden>> Warden::start(std::span<char> arguments) {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
    return sys::fail_errno("cannot make the warden's socket pair", errno);
  sys::FileDescriptor ours(pair[0]), theirs(pair[1]);
  void* shared = ::mmap(nullptr, sizeof(WardenMemory), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return sys::fail_errno("cannot share memory with the warden", errno);
  auto* memory = new (shared) WardenMemory;
  const pid_t pid = ::fork();
  if (pid < 0) return sys::fail_errno("cannot start the warden", errno);
  if (pid == 0) {
    ours.reset();
    be_warden(*memory, theirs.release(), arguments);
  }
  sys::FileDescriptor pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  return std::unique_ptr<Warden>(new Warden(memory, std::move(ours), std::move(pidfd), pid));
}

Warden::Warden(WardenMemory* memory, sys::FileDescriptor socket, sys::FileDescriptor pidfd, int pid)
    : memory_(memory), socket_(std::move(socket)), pidfd_(std::move(pidfd)), pid_(pid) {}

Warden::~Warden() {
  wake(kDismiss);
  socket_.reset();
  ::waitpid(pid_, nullptr, 0);
  ::munmap(memory_, sizeof(WardenMemory));
}

void Warden::wake(char what) {
  (void)::send(socket_.get(), &what, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void Warden::arm(std::span<const sys::AddressOperation> removal, Duration detection) {
  HOTPAIR_ASSERT(removal.size() <= kMaxRemovals);
  const std::uint32_t spare = (memory_->active.load() + 1) & 1;
  Removal& list = memory_->removals[spare];
  std::copy(removal.begin(), removal.end(), list.operations);
  list.count = static_cast<std::uint32_t>(removal.size());
  memory_->active.store(spare);
  memory_->detection_ns.store(detection.count());
  memory_->tick_ns.store(sys::now().time_since_epoch().count());
  memory_->armed.store(1);
  wake(kWake);
}

void Warden::disarm() {
  memory_->armed.store(0);
}

void Warden::set_detection(Duration detection) {
  memory_->detection_ns.store(detection.count());
}

void Warden::tick(Instant now) {
  memory_->tick_ns.store(now.time_since_epoch().count());
}

Instant Warden::last_tick() const {
  return Instant(Duration(memory_->tick_ns.load()));
}

// It is in the middle of it, and says when it is through; one that died never will.
void Warden::await_withdrawal() {
  while (memory_->fence.load() == kWithdrawing) {
    pollfd waited{socket_.get(), POLLIN, 0};
    if (::poll(&waited, 1, kWithdrawalMs) <= 0 || (waited.revents & POLLIN) == 0) return;
    char told = 0;
    (void)::recv(socket_.get(), &told, 1, MSG_DONTWAIT);
  }
}

bool Warden::was_fenced() {
  if (memory_->fence.load() == kNone) return false;
  await_withdrawal();
  memory_->fence.store(kNone);
  return true;
}

}  // namespace hotpair::daemon
