#include "platform/linux/file_descriptor.hpp"

#include <unistd.h>

namespace hotpair::sys {

void FileDescriptor::reset(int fd) {
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
}

}  // namespace hotpair::sys
