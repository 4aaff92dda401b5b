#include "platform/linux/interactive_process.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "platform/linux/spawn_settings.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::sys {
namespace {

struct Pipe {
  FileDescriptor read_end, write_end;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("cannot make a pipe", errno);
  return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

void set_nonblocking(const FileDescriptor& fd) {
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

void use_terminal(SpawnSettings& settings, const std::string& name) {
  settings.open(STDIN_FILENO, name.c_str(), O_RDWR);
  settings.use(STDIN_FILENO, STDOUT_FILENO);
  settings.use(STDIN_FILENO, STDERR_FILENO);
}

// In a session of its own: the first terminal it opens becomes the one that controls it.
int spawn(SpawnSettings& settings, pid_t& pid, const InteractiveRequest& request) {
  settings.usual_signals(POSIX_SPAWN_SETSID);
  posix_spawn_file_actions_addchdir_np(&settings.files, "/");
  std::vector<std::string> arguments = request.argv, environment = request.environment;
  return posix_spawnp(&pid, arguments[0].c_str(), &settings.files, &settings.attributes,
                      pointers_to(arguments).data(), pointers_to(environment).data());
}

}  // namespace

Status InteractiveProcess::open_terminal(const InteractiveRequest& request, std::string& name) {
  input.reset(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  std::array<char, 128> buffer{};
  if (!input || ::grantpt(input.get()) != 0 || ::unlockpt(input.get()) != 0 ||
      ::ptsname_r(input.get(), buffer.data(), buffer.size()) != 0)
    return fail_errno("cannot open a terminal", errno);
  name = buffer.data();
  output.reset(::fcntl(input.get(), F_DUPFD_CLOEXEC, 0));
  if (!output) return fail_errno("cannot open a terminal", errno);
  resize(request.rows, request.columns);
  return Ok{};
}

Result<std::unique_ptr<InteractiveProcess>, StartError> InteractiveProcess::start(
    const InteractiveRequest& request) {
  if (request.argv.empty()) return fail_with("there is no command to run");
  auto process = std::unique_ptr<InteractiveProcess>(new InteractiveProcess());
  SpawnSettings settings;
  std::array<Pipe, 3> pipes;
  if (request.terminal) {
    std::string name;
    if (Status done = process->open_terminal(request, name); !done) return fail(done.error());
    use_terminal(settings, name);
  } else {
    for (std::size_t i = 0; i < pipes.size(); ++i) {
      auto made = make_pipe();
      if (!made) return fail(made.error());
      pipes[i] = std::move(made).value();
      settings.use((i == 0 ? pipes[i].read_end : pipes[i].write_end).get(), static_cast<int>(i));
    }
    process->input = std::move(pipes[0].write_end);
    process->output = std::move(pipes[1].read_end);
    process->errors = std::move(pipes[2].read_end);
  }
  pid_t pid = 0;
  if (const int error = spawn(settings, pid, request); error != 0)
    return fail(StartError(Error{"cannot start " + request.argv[0] + ": " + errno_text(error)},
                           error == ENOENT ? 127 : 126));
  process->pid_ = pid;
  process->pidfd_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process->pidfd_) return fail_errno("cannot watch " + request.argv[0], errno);
  for (const auto* end : {&process->input, &process->output, &process->errors})
    if (*end) set_nonblocking(*end);
  return process;
}

InteractiveProcess::~InteractiveProcess() {
  if (pid_ == 0) return;
  ::kill(-pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void InteractiveProcess::signal(int number) const {
  if (pid_ != 0) ::kill(-pid_, number);
}

void InteractiveProcess::resize(std::uint16_t rows, std::uint16_t columns) const {
  winsize size{};
  size.ws_row = rows;
  size.ws_col = columns;
  (void)::ioctl(input.get(), TIOCSWINSZ, &size);
}

InteractiveProcess::End InteractiveProcess::wait() {
  siginfo_t info{};
  if (::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED) != 0) return {true, 0};
  pid_ = 0;
  return {info.si_code != CLD_EXITED, info.si_status};
}

}  // namespace hotpair::sys
