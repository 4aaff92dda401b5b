#include "agent/daemon/instance_lock.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "platform/linux/system_error.hpp"

namespace hotpair::daemon {

Result<InstanceLock> InstanceLock::take(const std::string& run_dir) {
  const std::string path = run_dir + "/hotpaird.pid";
  sys::FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file) return sys::fail_errno("cannot open " + path, errno);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    char text[32] = {};
    const ssize_t got = ::pread(file.get(), text, sizeof text - 1, 0);
    std::string pid(text, got > 0 ? static_cast<std::size_t>(got) : 0);
    pid.erase(std::find_if(pid.begin(), pid.end(), [](char c) { return c < '0' || c > '9'; }),
              pid.end());
    return fail_with("hotpaird (pid " + pid + ") already runs on " + run_dir +
                     "; stop it, or give this one a --run-dir of its own");
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(file.get(), 0) != 0 || ::pwrite(file.get(), pid.data(), pid.size(), 0) < 0)
    return sys::fail_errno("cannot write " + path, errno);
  return InstanceLock(std::move(file));
}

}  // namespace hotpair::daemon
