#include "platform/linux/directory_watch.hpp"

#include <array>
#include <cerrno>

#include <sys/inotify.h>
#include <unistd.h>

namespace hotpair::sys {

bool DirectoryWatch::watch(const std::set<std::string>& directories) {
  if (fd_ && directories == directories_) return true;
  fd_.reset(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!fd_) return false;
  directories_ = directories;
  bool all = true;
  constexpr std::uint32_t kWhat = IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE |
                                  IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF |
                                  IN_ONLYDIR | IN_DONT_FOLLOW;
  for (const auto& directory : directories)
    if (::inotify_add_watch(fd_.get(), directory.c_str(), kWhat) < 0 && errno != ENOENT)
      all = false;
  return all;
}

void DirectoryWatch::drain() {
  alignas(inotify_event) std::array<char, 16 * 1024> events;
  while (::read(fd_.get(), events.data(), events.size()) > 0) {
  }
}

}  // namespace hotpair::sys
