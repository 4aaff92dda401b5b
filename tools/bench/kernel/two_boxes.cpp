#include "tools/bench/kernel/two_boxes.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/base/assert.hpp"
#include "platform/linux/sysctl.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::bench::kernel {
namespace {

sys::FileDescriptor present_namespace() {
  return sys::FileDescriptor(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
}

Result<sys::FileDescriptor> new_namespace() {
  sys::FileDescriptor made;
  int error = 0;
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) == 0)
      made = present_namespace();
    else
      error = errno;
  }).join();
  if (!made) return sys::fail_errno("cannot make a network namespace; run it as root", error);
  return made;
}

[[noreturn]] void become(int box, std::vector<std::string> command, const std::string& log) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (::setns(box, CLONE_NEWNET) != 0 || out < 0) ::_exit(126);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  std::vector<char*> arguments;
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execvp(arguments.front(), arguments.data());
  ::_exit(127);
}

std::string path_of(int fd) {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd);
}

}  // namespace

Result<TwoBoxes> TwoBoxes::make() {
  TwoBoxes out;
  for (auto& box : out.boxes_) {
    auto made = new_namespace();
    if (!made.ok()) return fail(made.error());
    box = std::move(made).value();
  }
  if (Status cable = out.run(0, {"ip", "link", "add", kDevice, "type", "veth", "peer", "name",
                                 kDevice, "netns", path_of(out.fd(1))});
      !cable.ok())
    return fail(cable.error());
  for (const int box : {0, 1}) {
    const std::string address = std::string(kAddresses[static_cast<std::size_t>(box)]) + "/24";
    for (const auto& command :
         {std::vector<std::string>{"ip", "address", "add", address, "dev", kDevice},
          {"ip", "link", "set", kDevice, "up"},
          {"ip", "link", "set", "lo", "up"}})
      if (Status done = out.run(box, command); !done.ok()) return fail(done.error());
  }
  return out;
}

Status TwoBoxes::run(int box, const std::vector<std::string>& command) const {
  const pid_t pid = ::fork();
  if (pid < 0) return sys::fail_errno("cannot start a process", errno);
  if (pid == 0) become(fd(box), command, "/dev/stderr");
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return Ok{};
  std::string text;
  for (const std::string& word : command) text += (text.empty() ? "" : " ") + word;
  return fail_with("'" + text + "' failed in a network namespace of the bench's own");
}

std::uint64_t TwoBoxes::tracked(int box) const {
  const Inside inside(*this, box);
  const auto count = sys::read_sysctl_number("net/netfilter/nf_conntrack_count");
  return count.ok() ? static_cast<std::uint64_t>(*count) : 0;
}

void TwoBoxes::raise_events(int box, bool on) const {
  const Inside inside(*this, box);
  (void)sys::write_sysctl("net/netfilter/nf_conntrack_events", on ? "1" : "0");
}

Inside::Inside(const TwoBoxes& boxes, int box) : before_(present_namespace()) {
  const int entered = ::setns(boxes.fd(box), CLONE_NEWNET);
  HOTPAIR_ASSERT(entered == 0);
}

Inside::~Inside() {
  const int left = ::setns(before_.get(), CLONE_NEWNET);
  HOTPAIR_ASSERT(left == 0);
}

Result<Program> Program::start(const TwoBoxes& boxes, int box, std::vector<std::string> command,
                               const std::string& log) {
  const pid_t pid = ::fork();
  if (pid < 0) return sys::fail_errno("cannot start a process", errno);
  if (pid == 0) become(boxes.fd(box), std::move(command), log);
  return Program(pid);
}

Program::Program(Program&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}

Program::~Program() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool Program::running() {
  if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
  return pid_ > 0;
}

// The fields behind the name, which may hold anything (proc(5)); 12 and 13 are utime and stime.
double Program::cpu_seconds() const {
  std::ifstream file("/proc/" + std::to_string(pid_) + "/stat");
  std::string line;
  std::getline(file, line);
  std::istringstream fields(line.substr(std::min(line.size(), line.rfind(')') + 2)));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0, system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace hotpair::bench::kernel
