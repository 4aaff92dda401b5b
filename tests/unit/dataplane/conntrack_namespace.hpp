// Network namespaces of a test's own: made without names, gone with the test.
#pragma once

#include <cstdlib>
#include <string>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "platform/linux/file_descriptor.hpp"

namespace hotpair::conntrack::test {

inline sys::FileDescriptor present_namespace() {
  return sys::FileDescriptor(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
}

class Namespace {
 public:
  Namespace() {
    std::thread([this] {
      if (unshare(CLONE_NEWNET) == 0) fd_ = present_namespace();
    }).join();
  }
  // False without the right to make one.
  explicit operator bool() const { return static_cast<bool>(fd_); }
  std::string path() const {
    return "/proc/" + std::to_string(getpid()) + "/fd/" + std::to_string(fd_.get());
  }
  int fd() const { return fd_.get(); }

 private:
  sys::FileDescriptor fd_;
};

// The calling thread is in the namespace for as long as this lives.
class Inside {
 public:
  explicit Inside(const Namespace& space) : before_(present_namespace()) {
    if (setns(space.fd(), CLONE_NEWNET) != 0) std::abort();
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside() {
    if (setns(before_.get(), CLONE_NEWNET) != 0) std::abort();
  }

 private:
  sys::FileDescriptor before_;
};

// Runs a shell command there; true when it succeeded.
inline bool run(const Namespace& space, const std::string& command) {
  const Inside inside(space);
  return std::system(command.c_str()) == 0;
}

constexpr const char* kNoRights =
    "needs CAP_SYS_ADMIN and CAP_NET_ADMIN to make network namespaces; run as root";

}  // namespace hotpair::conntrack::test
