// One hotpaird a run directory: a lock on <run-dir>/hotpaird.pid, which also tells others who holds
// it. The kernel drops it with the process, however that ends.
#pragma once

#include <string>

#include "platform/base/result.hpp"
#include "platform/linux/file_descriptor.hpp"

namespace hotpair::daemon {

class InstanceLock {
 public:
  // Refuses by name when another process holds it.
  static Result<InstanceLock> take(const std::string& run_dir);

 private:
  explicit InstanceLock(sys::FileDescriptor file) : file_(std::move(file)) {}
  sys::FileDescriptor file_;
};

}  // namespace hotpair::daemon
