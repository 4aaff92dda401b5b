#include "platform/linux/link_up.hpp"

#include <cerrno>

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "platform/linux/file_descriptor.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::sys {

Status bring_up(const std::string& device) {
  const FileDescriptor fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  device.copy(request.ifr_name, IFNAMSIZ - 1);
  if (!fd || ::ioctl(fd.get(), SIOCGIFFLAGS, &request) != 0)
    return fail_errno("cannot look at " + device, errno);
  if (request.ifr_flags & IFF_UP) return Ok{};
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  if (::ioctl(fd.get(), SIOCSIFFLAGS, &request) != 0)
    return fail_with(device + " is down and cannot be set up (" + errno_text(errno) +
                     "); run 'ip link set " + device + " up'");
  return Ok{};
}

}  // namespace hotpair::sys
