// A TAP device: an Ethernet interface of this machine whose frames this program reads and writes.
// It is gone when its owner is. Sources: Documentation/networking/tuntap.rst, linux/if_tun.h.
// One thread. Needs CAP_NET_ADMIN and /dev/net/tun.
#pragma once

#include <cstdint>
#include <string>

#include "platform/base/bytes.hpp"
#include "platform/base/result.hpp"
#include "platform/linux/file_descriptor.hpp"
#include "platform/linux/ip_address.hpp"

namespace hotpair::sys {

struct TapOptions {
  std::string name;
  MacAddress mac{};
  std::uint32_t mtu = 1500;
};

class Tap {
 public:
  // Makes it, down and without addresses. Fails when a device of that name exists.
  static Result<Tap> open(const TapOptions& options);

  int fd() const { return fd_.get(); }  // for poll
  int ifindex() const { return ifindex_; }
  Status bring_up();
  Status set_mtu(std::uint32_t mtu);

  // The next frame that the kernel wants sent, without blocking: its size; 0 when none waits. A
  // frame longer than `out` is cut.
  std::size_t read(MutableBytes out);
  // Hands a frame to the kernel as received. False: it was not taken (the device is down).
  bool write(Bytes frame);

 private:
  Tap(FileDescriptor fd, TapOptions options) : fd_(std::move(fd)), options_(std::move(options)) {}
  FileDescriptor fd_;
  TapOptions options_;
  int ifindex_ = 0;
};

// Of an existing Ethernet device; none when it is absent.
struct DeviceFacts {
  MacAddress mac{};
  std::uint32_t mtu = 0;
};
Result<DeviceFacts> device_facts(const std::string& device);

}  // namespace hotpair::sys
