// Tells that something changed in one of some directories (inotify(7)), not what. One thread.
#pragma once

#include <set>
#include <string>

#include "platform/linux/file_descriptor.hpp"

namespace hotpair::sys {

class DirectoryWatch {
 public:
  // Those that are there; the kernel may refuse some when its limit is reached (false).
  bool watch(const std::set<std::string>& directories);
  int fd() const { return fd_.get(); }  // readable: call drain()
  void drain();

 private:
  FileDescriptor fd_;
  std::set<std::string> directories_;
};

}  // namespace hotpair::sys
