// IP addresses and on-link routes of devices, and the devices that exist to carry them, up, down
// and gone: changes in batches, lists, and a watch over them.
//
// AddressTable is in a takeover's critical path: all operations leave in one sendmsg, the kernel
// answers each by its sequence number, no cache is built. It owns its socket, starts no thread and
// may be opened and used in a forked process. Sources: rtnetlink(7), linux/if_addr.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "platform/base/result.hpp"
#include "platform/base/time.hpp"
#include "platform/linux/ip_address.hpp"
#include "platform/linux/netlink_socket.hpp"

namespace hotpair::sys {

struct InterfaceAddress {
  int ifindex = 0;
  IpPrefix prefix;
  enum class Scope : std::uint8_t { global = 0, link = 253, host = 254 } scope = Scope::global;
  friend bool operator==(const InterfaceAddress&, const InterfaceAddress&) = default;
};

struct AddressOperation {
  enum class What : std::uint8_t {
    add_address,
    delete_address,
    add_route,
    delete_route,
    link_up,
    link_down,
    delete_link  // a virtual device as a whole
  };
  What what = What::add_address;
  InterfaceAddress address;   // routes: the subnet; the device it is on-link of; links: the device
  std::uint32_t metric = 0;   // routes only
  std::uint32_t table = 254;  // routes only: the main table, or the VRF's (LinkInfo::vrf_table)
};

// Routes we make carry this protocol number, so that nobody takes them for their own.
constexpr std::uint8_t kRouteProtocol = 114;

struct OperationResult {
  bool ok = false;
  bool changed = false;  // false and ok: it was so already
  int error = 0;         // errno of the kernel; ETIMEDOUT: no answer in time
  std::string text;      // for people, names the address; empty when ok
};

class AddressTable {
 public:
  static Result<AddressTable> open();

  // Carries out all operations in order; one result each, in the same order. One that fails does
  // not stop those after it. Adding what exists and deleting what is not there count as ok. IPv6
  // addresses are added without duplicate address detection: the pair decides who holds an address.
  std::vector<OperationResult> apply(std::span<const AddressOperation> operations,
                                     Duration timeout = 200ms);

  // The addresses of a device; of all devices when `ifindex` is 0. At most 64 Ki are listed.
  Result<std::vector<InterfaceAddress>> list(int ifindex, Duration timeout = 1s);

 private:
  explicit AddressTable(NetlinkSocket socket) : socket_(std::move(socket)) {}
  NetlinkSocket socket_;
};

struct AddressChange {
  bool added = false;      // false: taken away
  bool duplicate = false;  // IPv6: another station on the link has it (IFA_F_DADFAILED)
  InterfaceAddress address;
};

// Events RTNLGRP_IPV4_IFADDR and RTNLGRP_IPV6_IFADDR: somebody gave or took an address, ourselves
// included.
class AddressWatch {
 public:
  using Callback = std::function<void(const AddressChange&)>;

  static Result<std::unique_ptr<AddressWatch>> open();
  int fd() const { return socket_.fd(); }
  void on_change(Callback callback) { on_change_ = std::move(callback); }
  // Events were lost (ENOBUFS): compare with AddressTable::list().
  void on_overrun(std::function<void()> callback) { on_overrun_ = std::move(callback); }
  void handle_readable();  // bounded

 private:
  explicit AddressWatch(NetlinkSocket socket) : socket_(std::move(socket)) {}
  NetlinkSocket socket_;
  Callback on_change_;
  std::function<void()> on_overrun_;
};

}  // namespace hotpair::sys
