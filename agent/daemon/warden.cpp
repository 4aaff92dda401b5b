#include "agent/daemon/warden.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/daemon/warden_memory.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/spawn_settings.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::daemon {
namespace {

// The same where no place of a warden's descriptors is, so that putting one there takes no other.
sys::FileDescriptor elsewhere(int fd) {
  return sys::FileDescriptor(::fcntl(fd, F_DUPFD_CLOEXEC, kWardenMemoryFile + 1));
}

}  // namespace

Result<std::unique_ptr<Warden>> Warden::create(std::string program) {
  sys::FileDescriptor file(::memfd_create(kWardenName, MFD_CLOEXEC));
  if (!file || ::ftruncate(file.get(), sizeof(WardenMemory)) != 0)
    return sys::fail_errno("cannot make the wardens' memory", errno);
  void* const shared =
      ::mmap(nullptr, sizeof(WardenMemory), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (shared == MAP_FAILED) return sys::fail_errno("cannot share memory with wardens", errno);
  auto* const memory = new (shared) WardenMemory;
  (void)::sched_getaffinity(0, sizeof memory->cpus, &memory->cpus);
  return std::unique_ptr<Warden>(new Warden(std::move(program), memory, std::move(file)));
}

Result<Warden::Process> Warden::start_process() const {
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
    return sys::fail_errno("cannot make a warden's socket pair", errno);
  Process process;
  process.socket.reset(pair[0]);
  const sys::FileDescriptor theirs(pair[1]);
  const sys::FileDescriptor socket = elsewhere(theirs.get()), memory = elsewhere(file_.get());
  if (!socket || !memory) return sys::fail_errno("cannot hand a warden its descriptors", errno);
  sys::SpawnSettings settings;
  settings.no_signals();
  settings.use(socket.get(), kWardenSocket);
  settings.use(memory.get(), kWardenMemoryFile);
  std::string name = kWardenName;
  char* const arguments[] = {name.data(), nullptr};
  const int error = ::posix_spawn(&process.pid, program_.c_str(), &settings.files,
                                  &settings.attributes, arguments, environ);
  if (error != 0) return sys::fail_errno("cannot start a warden from " + program_, error);
  process.pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
  if (process.pidfd) return process;
  const int pidfd_error = errno;
  ::kill(process.pid, SIGKILL);  // before its socket ends, which would be hotpaird's death to it
  ::waitpid(process.pid, nullptr, 0);
  return sys::fail_errno("cannot watch a warden", pidfd_error);
}

void Warden::adopt(std::size_t slot, Process process) {
  processes_.at(slot) = std::move(process);
}

void Warden::forget(std::size_t slot) {
  Process& process = processes_.at(slot);
  if (process.pid != 0) ::waitpid(process.pid, nullptr, 0);
  process = {};
}

Warden::~Warden() {
  wake(kDismiss);
  for (Process& process : processes_) {
    process.socket.reset();
    if (process.pid != 0) ::waitpid(process.pid, nullptr, 0);
  }
  ::munmap(memory_, sizeof(WardenMemory));
}

void Warden::wake(char what) {
  for (const Process& process : processes_)
    if (process.socket) (void)::send(process.socket.get(), &what, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
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

// One is in the middle of it, and says when it is through; one that died never will.
void Warden::await_withdrawal() {
  const Instant end = sys::now() + kWithdrawalTime;
  std::array<pollfd, kWardens> waited;
  for (std::size_t i = 0; i < kWardens; ++i) waited[i] = {processes_[i].socket.get(), POLLIN, 0};
  while (memory_->fence.load() == Fence::withdrawing && sys::now() < end) {
    const auto left = std::max<std::int64_t>(to_ms(end - sys::now()), 1);
    if (::poll(waited.data(), waited.size(), static_cast<int>(left)) <= 0) return;
    for (pollfd& one : waited) {
      char told = 0;
      if (one.revents != 0 && ::recv(one.fd, &told, 1, MSG_DONTWAIT) == 0) one.fd = -1;  // dead
    }
  }
}

bool Warden::was_fenced() {
  if (memory_->fence.load() == Fence::none) return false;
  await_withdrawal();
  return memory_->fence.exchange(Fence::none) != Fence::none;
}

}  // namespace hotpair::daemon
