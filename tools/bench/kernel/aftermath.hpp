// What is to be put right when this process ends, however it ends: at the end of a measurement, by
// Ctrl-C, by a time limit, by kill -9. A process of its own waits for that and does it.
#pragma once

#include <functional>

#include <sys/types.h>

#include "platform/linux/file_descriptor.hpp"

namespace hotpair::bench::kernel {

class Aftermath {
 public:
  // Before the first thread. `work` is done in the other process, with what this one knows now.
  explicit Aftermath(const std::function<void()>& work);
  Aftermath(const Aftermath&) = delete;
  Aftermath& operator=(const Aftermath&) = delete;
  ~Aftermath();  // the work is done when it returns

 private:
  sys::FileDescriptor alive_;  // the end of a pipe that the other process sees closed
  pid_t process_ = -1;
};

}  // namespace hotpair::bench::kernel
