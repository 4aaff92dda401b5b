#include "platform/linux/tap.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/linux/link_up.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::sys {
namespace {

ifreq request_for(const std::string& device) {
  ifreq request{};
  const std::size_t size = std::min(device.size(), sizeof(request.ifr_name) - 1);
  std::copy_n(device.begin(), size, request.ifr_name);
  return request;
}

// One of the old ioctls on devices, which any socket carries.
Status ask_device(unsigned long what, ifreq& request, const std::string& action) {
  const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return fail_errno("cannot open a socket to " + action, errno);
  if (::ioctl(socket.get(), what, &request) == 0) return Ok{};
  return fail_errno("cannot " + action, errno);
}

Status set_mac(const TapOptions& options) {
  ifreq request = request_for(options.name);
  request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
  std::copy(options.mac.begin(), options.mac.end(), request.ifr_hwaddr.sa_data);
  return ask_device(SIOCSIFHWADDR, request, "give " + options.name + " its MAC address");
}

}  // namespace

Result<Tap> Tap::open(const TapOptions& options) {
  if (::if_nametoindex(options.name.c_str()) != 0)
    return fail_with("cannot make the TAP device " + options.name +
                     ": a device of that name exists; see 'ip -d link show " + options.name + "'");
  FileDescriptor fd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return fail_errno("cannot open /dev/net/tun (see 'modprobe tun')", errno);
  ifreq request = request_for(options.name);
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (::ioctl(fd.get(), TUNSETIFF, &request) != 0)
    return fail_errno("cannot make the TAP device " + options.name, errno);
  Tap tap(std::move(fd), options);
  tap.ifindex_ = static_cast<int>(::if_nametoindex(options.name.c_str()));
  if (Status done = set_mac(options); !done) return fail(done.error());
  if (Status done = tap.set_mtu(options.mtu); !done) return fail(done.error());
  return tap;
}

Status Tap::set_mtu(std::uint32_t mtu) {
  ifreq request = request_for(options_.name);
  request.ifr_mtu = static_cast<int>(mtu);
  return ask_device(SIOCSIFMTU, request, "set the MTU of " + options_.name);
}

Status Tap::bring_up() {
  return sys::bring_up(options_.name);
}

std::size_t Tap::read(MutableBytes out) {
  const ssize_t size = ::read(fd_.get(), out.data(), out.size());
  return size > 0 ? static_cast<std::size_t>(size) : 0;
}

bool Tap::write(Bytes frame) {
  return ::write(fd_.get(), frame.data(), frame.size()) == static_cast<ssize_t>(frame.size());
}

Result<DeviceFacts> device_facts(const std::string& device) {
  DeviceFacts facts;
  ifreq request = request_for(device);
  if (Status done = ask_device(SIOCGIFHWADDR, request, "look at " + device); !done)
    return fail(done.error());
  std::copy_n(request.ifr_hwaddr.sa_data, facts.mac.size(), facts.mac.begin());
  if (Status done = ask_device(SIOCGIFMTU, request, "look at " + device); !done)
    return fail(done.error());
  facts.mtu = static_cast<std::uint32_t>(request.ifr_mtu);
  return facts;
}

}  // namespace hotpair::sys
