#include "platform/linux/process.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/linux/clock.hpp"
#include "platform/linux/file_descriptor.hpp"
#include "platform/linux/spawn_settings.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::sys {
namespace {

constexpr std::size_t kReadATurn = 16 * 1024;
constexpr int kReapTimeMs = 200;

struct Child {
  ProcessRequest request;
  ProcessRunner::Callback callback;
  ProcessOutcome outcome;
  pid_t pid = 0;
  FileDescriptor pidfd, output;
  Instant started;
  TimerId timer = 0;
  bool timed_out = false;

  std::string name() const { return request.argv.empty() ? "(nothing)" : request.argv[0]; }
};

// The environment with the request's variables in place of ours.
std::vector<std::string> environment_of(const ProcessRequest& request) {
  std::vector<std::string> result;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::string_view key = text.substr(0, text.find('='));
    bool replaced = false;
    for (const auto& [name, value] : request.environment) replaced = replaced || name == key;
    if (!replaced) result.emplace_back(text);
  }
  for (const auto& [name, value] : request.environment) result.push_back(name + "=" + value);
  return result;
}

// 0, or the errno of what failed.
int spawn(Child& child) {
  if (child.request.argv.empty()) return EINVAL;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return errno;
  child.output.reset(ends[0]);
  const FileDescriptor write_end(ends[1]);
  if (fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) return errno;
  SpawnSettings settings;
  settings.usual_signals(POSIX_SPAWN_SETPGROUP);  // in a process group of its own
  settings.open(STDIN_FILENO, "/dev/null", O_RDONLY);
  settings.use(write_end.get(), STDOUT_FILENO);
  settings.use(write_end.get(), STDERR_FILENO);
  std::vector<std::string> arguments = child.request.argv;
  std::vector<std::string> environment = environment_of(child.request);
  const int error =
      posix_spawnp(&child.pid, arguments[0].c_str(), &settings.files, &settings.attributes,
                   pointers_to(arguments).data(), pointers_to(environment).data());
  if (error != 0) return error;
  child.pidfd.reset(static_cast<int>(syscall(SYS_pidfd_open, child.pid, 0)));
  if (child.pidfd) return 0;
  const int pidfd_error = errno;
  kill(-child.pid, SIGKILL);
  waitpid(child.pid, nullptr, 0);
  return pidfd_error;
}

// False at the end of the output.
bool read_output(Child& child) {
  char chunk[kReadATurn];
  const ssize_t got = read(child.output.get(), chunk, sizeof(chunk));
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  const std::size_t room = child.request.max_output - child.outcome.output.size();
  const auto size = static_cast<std::size_t>(got);
  child.outcome.output.append(chunk, std::min(room, size));
  child.outcome.truncated = child.outcome.truncated || size > room;
  return got > 0;
}

void describe(Child& child, const siginfo_t& info) {
  ProcessOutcome& outcome = child.outcome;
  outcome.took = now() - child.started;
  outcome.code = info.si_status;
  if (child.timed_out) {
    outcome.end = ProcessOutcome::End::timed_out;
    outcome.error = child.name() + " was killed: it ran longer than " +
                    std::to_string(to_ms(child.request.timeout)) + " ms";
  } else if (info.si_code == CLD_EXITED) {
    outcome.end = ProcessOutcome::End::exited;
    if (outcome.code != 0)
      outcome.error = child.name() + " exited with status " + std::to_string(outcome.code);
  } else {
    outcome.end = ProcessOutcome::End::signalled;
    outcome.error = child.name() + " was ended by signal " + std::to_string(outcome.code);
  }
}

}  // namespace

struct ProcessRunner::State {
  explicit State(EventLoop& l) : loop(l) {}

  EventLoop& loop;
  std::map<ProcessId, Child> children;
  ProcessId last_id = 0;

  void start(ProcessId id, Child& child);
  void on_output(ProcessId id);
  void on_exit(ProcessId id);
  void on_timeout(ProcessId id);
  void finish(ProcessId id);
  void release(Child& child);
};

void ProcessRunner::State::release(Child& child) {
  loop.cancel(child.timer);
  if (child.pidfd) loop.remove(child.pidfd.get());
  if (child.output) loop.remove(child.output.get());
}

void ProcessRunner::State::start(ProcessId id, Child& child) {
  child.started = now();
  int error = spawn(child);
  if (error == 0 && !(loop.add(child.pidfd.get(), EPOLLIN, [this, id](std::uint32_t) {
        on_exit(id);
      }) && loop.add(child.output.get(), EPOLLIN, [this, id](std::uint32_t) { on_output(id); }))) {
    kill(-child.pid, SIGKILL);
    waitpid(child.pid, nullptr, 0);
    error = EMFILE;
  }
  if (error == 0) {
    child.timer =
        loop.call_at(child.started + child.request.timeout, [this, id] { on_timeout(id); });
    return;
  }
  child.outcome.error = "cannot start " + child.name() + ": " + errno_text(error) +
                        "; see 'ls -l " + child.name() + "'";
  child.timer = loop.call_at(child.started, [this, id] { finish(id); });
}

void ProcessRunner::State::on_output(ProcessId id) {
  auto found = children.find(id);
  if (found != children.end() && !read_output(found->second))
    loop.remove(found->second.output.get());
}

void ProcessRunner::State::on_exit(ProcessId id) {
  auto found = children.find(id);
  if (found == children.end()) return;
  Child& child = found->second;
  siginfo_t info{};
  // Until it is reaped its id, and so its group's, cannot become anybody else's.
  if (child.request.kill_group_at_end) kill(-child.pid, SIGKILL);
  if (waitid(P_PIDFD, static_cast<id_t>(child.pidfd.get()), &info, WEXITED | WNOHANG) != 0 ||
      info.si_pid == 0)
    return;
  // What it wrote before its end is in the pipe. A grandchild may hold the pipe open and go on
  // writing: one pipe full is read, and no end is waited for.
  for (int i = 0; i < 8 && read_output(child); ++i) {
    pollfd more{child.output.get(), POLLIN, 0};
    if (poll(&more, 1, 0) <= 0) break;
  }
  describe(child, info);
  finish(id);
}

void ProcessRunner::State::on_timeout(ProcessId id) {
  auto found = children.find(id);
  if (found == children.end()) return;
  found->second.timed_out = true;
  kill(-found->second.pid, SIGKILL);  // the end itself is reported by the pidfd
}

void ProcessRunner::State::finish(ProcessId id) {
  auto found = children.find(id);
  Child child = std::move(found->second);
  children.erase(found);
  release(child);
  if (child.callback) child.callback(child.outcome);
}

ProcessRunner::ProcessRunner(EventLoop& loop) : state_(std::make_unique<State>(loop)) {}

ProcessRunner::~ProcessRunner() {
  for (auto& [id, child] : state_->children) {
    state_->release(child);
    if (!child.pidfd) continue;
    kill(-child.pid, SIGKILL);
    // A process in an uninterruptible wait must not hold us up: init reaps it then.
    pollfd ended{child.pidfd.get(), POLLIN, 0};
    if (poll(&ended, 1, kReapTimeMs) > 0) waitpid(child.pid, nullptr, WNOHANG);
  }
}

ProcessId ProcessRunner::run(ProcessRequest request, Callback callback) {
  const ProcessId id = ++state_->last_id;
  Child& child = state_->children[id];
  child.request = std::move(request);
  child.callback = std::move(callback);
  state_->start(id, child);
  return id;
}

void ProcessRunner::cancel(ProcessId process) {
  auto found = state_->children.find(process);
  if (found == state_->children.end()) return;
  found->second.callback = nullptr;
  if (found->second.pidfd) kill(-found->second.pid, SIGKILL);
}

std::size_t ProcessRunner::running() const {
  return state_->children.size();
}

}  // namespace hotpair::sys
