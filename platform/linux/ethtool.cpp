#include "platform/linux/ethtool.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "platform/linux/file_descriptor.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::sys {
namespace {

bool ask(int fd, const std::string& device, void* command) {
  ifreq request{};
  const std::size_t size = std::min(device.size(), sizeof(request.ifr_name) - 1);
  std::memcpy(request.ifr_name, device.data(), size);
  request.ifr_data = static_cast<char*>(command);
  return ioctl(fd, SIOCETHTOOL, &request) == 0;
}

}  // namespace

Result<DriverFacts> read_driver_facts(const std::string& device) {
  const FileDescriptor fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno("cannot open a socket to ask for the drivers of devices", errno);
  DriverFacts facts;
  ethtool_cmd link{};
  link.cmd = ETHTOOL_GSET;
  if (ask(fd.get(), device, &link)) {
    if (link.duplex == DUPLEX_HALF) facts.duplex = DriverFacts::Duplex::half;
    if (link.duplex == DUPLEX_FULL) facts.duplex = DriverFacts::Duplex::full;
  }
  ethtool_drvinfo driver{};
  driver.cmd = ETHTOOL_GDRVINFO;
  if (ask(fd.get(), device, &driver)) {
    const std::string bus(driver.bus_info, strnlen(driver.bus_info, sizeof driver.bus_info));
    if (bus.find(':') != std::string::npos) facts.bus = bus;
  }
  ethtool_value flags{};
  flags.cmd = ETHTOOL_GFLAGS;
  if (ask(fd.get(), device, &flags)) facts.large_receive_offload = (flags.data & ETH_FLAG_LRO) != 0;
  return facts;
}

}  // namespace hotpair::sys
