#include "tools/bench/kernel/aftermath.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hotpair::bench::kernel {

namespace {

// Whoever holds the other end is gone when there is nothing more to read.
void wait_for_end(int pipe) {
  char byte;
  while (::read(pipe, &byte, 1) < 0 && errno == EINTR) continue;
}

}  // namespace

Aftermath::Aftermath(const std::function<void()>& work) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return;
  sys::FileDescriptor waiting(ends[0]);
  alive_.reset(ends[1]);
  process_ = ::fork();
  if (process_ != 0) return;
  ::setsid();  // a terminal's Ctrl-C and a time limit end whole groups
  alive_.reset();
  wait_for_end(waiting.get());
  work();
  ::_exit(0);
}

Aftermath::~Aftermath() {
  alive_.reset();
  while (process_ > 0 && ::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) continue;
}

}  // namespace hotpair::bench::kernel
