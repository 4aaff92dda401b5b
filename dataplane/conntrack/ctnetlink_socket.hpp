// One NETLINK_NETFILTER socket: non-blocking, close-on-exec, with errors answered by header only.
// Knows the socket options and nothing of what is said over it. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <linux/filter.h>

#include "platform/base/bytes.hpp"
#include "platform/base/result.hpp"
#include "platform/linux/file_descriptor.hpp"

namespace hotpair::conntrack {

class CtnetlinkSocket {
 public:
  // Asks for a receive buffer of that many bytes, by force where permitted.
  static Result<CtnetlinkSocket> open(int receive_buffer_bytes);

  int fd() const { return fd_.get(); }
  // What the kernel granted, in bytes; it counts its own overhead within.
  int receive_buffer_bytes() const { return granted_bytes_; }

  Status join(unsigned group);  // an NFNLGRP_* multicast group
  void leave(unsigned group);
  // Messages that the program answers with 0 are not received; replaces an earlier one.
  Status filter(const std::vector<sock_filter>& program);
  Status send(Bytes requests);  // one or more nlmsghdr, one after another

  enum class Received : std::uint8_t { datagram, nothing, overrun, error };
  // One datagram of the kernel's own (what other processes send is dropped) into `buffer`; `size`
  // is at most buffer.size(), a longer one is reported as error.
  Received receive(MutableBytes buffer, std::size_t& size);
  void discard_waiting();

 private:
  explicit CtnetlinkSocket(sys::FileDescriptor fd) : fd_(std::move(fd)) {}
  sys::FileDescriptor fd_;
  int granted_bytes_ = 0;
};

}  // namespace hotpair::conntrack
