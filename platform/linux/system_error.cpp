#include "platform/linux/system_error.hpp"

#include <cerrno>
#include <system_error>

namespace hotpair::sys {
namespace {

const char* remedy(int error) {
  switch (error) {
    case EPERM:
    case EACCES:
      return "; run it as root, or by 'systemctl start', which grants the capabilities it needs";
    case ENOSPC:
    case EDQUOT:
      return "; the disk is full: find out what fills it with 'df -h' and 'du -xh / | sort -h'";
    case EROFS:
      return "; the file system is read-only: 'mount -o remount,rw' it, and look in 'dmesg' for "
             "why";
    case EMFILE:
    case ENFILE:
      return "; raise the limit with 'LimitNOFILE=' in the unit, or 'ulimit -n'";
    default:
      return "";
  }
}

}  // namespace

std::string errno_text(int error) {
  return std::generic_category().message(error);
}

Failure<Error> fail_errno(const std::string& what, int error) {
  return fail_with(what + ": " + errno_text(error) + remedy(error));
}

}  // namespace hotpair::sys
