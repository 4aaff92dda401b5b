#include "dataplane/dpdk/port_device.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dataplane/dpdk/eal.hpp"
#include "platform/base/dpdk_device.hpp"
#include "platform/linux/file_descriptor.hpp"
#include "platform/linux/link_up.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::dpdk {

namespace {

Status prepare_kernel_interface(const std::string& interface) {
  if (if_nametoindex(interface.c_str()) == 0)
    return fail_with("there is no interface " + interface +
                     "; 'ip -brief link' lists those there are");
  const sys::FileDescriptor raw(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  if (!raw && (errno == EPERM || errno == EACCES))
    return fail_with(
        "not permitted to open a packet socket; run hotpair-dataplane as root, or 'setcap "
        "cap_net_raw,cap_net_admin+ep' on it");
  return sys::bring_up(interface);
}

Status prepare_pci(const std::string& address) {
  const std::filesystem::path path = "/sys/bus/pci/devices/" + address;
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    return fail_with("there is no PCI device " + address + "; 'lspci -D' lists those there are");
  const auto driver = std::filesystem::read_symlink(path / "driver", error).filename().string();
  if (error)
    return fail_with("PCI device " + address +
                     " has no driver; run 'dpdk-devbind.py --bind=vfio-pci " + address + "'");
  // These serve DPDK beside their kernel driver.
  const bool serves = driver == "vfio-pci" || driver == "uio_pci_generic" || driver == "igb_uio" ||
                      driver.rfind("mlx", 0) == 0 || driver == "mana";
  if (!serves)
    return fail_with("PCI device " + address + " belongs to the kernel driver " + driver +
                     "; run 'dpdk-devbind.py --bind=vfio-pci " + address +
                     "', or use it as \"net_af_packet0,iface=NAME\"");
  return Ok{};
}

}  // namespace

int packet_socket_of(unsigned interface_index) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) {
    const int fd = std::atoi(entry.path().filename().c_str());
    int domain = 0;
    socklen_t size = sizeof domain;
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_PACKET) continue;
    sockaddr_ll address{};
    size = sizeof address;
    auto* generic = static_cast<sockaddr*>(static_cast<void*>(&address));
    if (getsockname(fd, generic, &size) == 0 &&
        static_cast<unsigned>(address.sll_ifindex) == interface_index)
      return fd;
  }
  return -1;
}

std::size_t kernel_mtu(const std::string& interface) {
  const sys::FileDescriptor any(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(request.ifr_name, interface.c_str(), IFNAMSIZ - 1);
  if (!any || ioctl(any.get(), SIOCGIFMTU, &request) != 0 || request.ifr_mtu < 0) return 0;
  return static_cast<std::size_t>(request.ifr_mtu);
}

std::string with_jumbo_rings(const std::string& device) {
  constexpr std::size_t kStandardMtu = 1500;
  if (device.rfind("net_af_packet", 0) != 0 || device.find("framesz=") != std::string::npos ||
      kernel_mtu(kernel_interface_of(device)) <= kStandardMtu)
    return device;
  // Four slots are nine pages. 2.4 MB each way, and more slots than the peer may have frames under
  // way.
  return device + ",framesz=" + std::to_string(kJumboSlot) +
         ",blocksz=" + std::to_string(4 * kJumboSlot) + ",framecnt=256";
}

Status prepare_device(const std::string& device) {
  if (const auto address = pci_address_of(device)) return prepare_pci(*address);
  const std::string interface = kernel_interface_of(device);
  return interface.empty() ? Status(Ok{}) : prepare_kernel_interface(interface);
}

// libxdp (1.3) looks its own program up by number, which the kernel allows CAP_SYS_ADMIN alone; and
// it does not try a driver that has no XDP of its own in the kernel's generic way.
std::string af_xdp_needs(const std::string& device) {
  if (!is_af_xdp(device)) return "";
  bpf_attr attribute{};
  const bool refused =
      syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, &attribute, sizeof attribute) != 0 && errno == EPERM;
  if (!refused)
    return "; where its driver has no XDP of its own, use \"net_af_packet0,iface=" +
           kernel_interface_of(device) + "\"";
  return "; af_xdp loads a program into the kernel and this process may not: in 'systemctl edit "
         "hotpair-dataplane' write [Service], CapabilityBoundingSet=CAP_SYS_ADMIN and "
         "SystemCallFilter=bpf, as 'hotpair setup --sync " +
         device + "' does";
}

std::string explain_refusal(const std::string& device, int error) {
  std::string out = "DPDK cannot use it (" + sys::errno_text(error);
  if (!last_eal_words().empty()) out += "; it says: " + last_eal_words();
  out += ")";
  if (error == EBUSY || error == EEXIST)
    out += "; another process holds it, 'fuser -v /dev/vfio/*' names it";
  else if (pci_address_of(device))
    out += "; 'dpdk-devbind.py --status' shows what it is bound to";
  else
    out += "; is the driver's name right, and its package (librte-net-*) installed?";
  return out;
}

}  // namespace hotpair::dpdk
