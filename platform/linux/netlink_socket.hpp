// A netlink socket, of NETLINK_ROUTE if nothing else is said: whole datagrams in, whole datagrams
// out, dumps. What the other netlink_* files share; messages are built and parsed with libnl's
// nlmsg_* and nla_*. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <vector>

#include "platform/base/bytes.hpp"
#include "platform/base/result.hpp"
#include "platform/base/time.hpp"
#include "platform/linux/file_descriptor.hpp"

struct nlmsghdr;
struct nl_msg;

namespace hotpair::sys {

struct FreeNetlinkMessage {
  void operator()(nl_msg* message) const;
};
using NetlinkMessage = std::unique_ptr<nl_msg, FreeNetlinkMessage>;

// A message whose header carries `type` and `flags`, followed by `fixed` (ifinfomsg, ifaddrmsg,
// ...).
NetlinkMessage make_netlink_message(int type, int flags, Bytes fixed);

class NetlinkSocket {
 public:
  using Visitor = std::function<void(nlmsghdr&)>;

  // `groups`: RTNLGRP_* to listen to. The receive buffer is asked for by force and may come out
  // smaller.
  static Result<NetlinkSocket> open(std::initializer_list<unsigned> groups, int receive_buffer,
                                    int protocol = 0);

  int fd() const { return fd_.get(); }

  Status send(Bytes messages);

  // One datagram from the kernel, without blocking; `visit` is called for each whole message in it.
  // overrun: the kernel dropped messages for want of buffer. Datagrams of other processes are
  // dropped.
  enum class Read : std::uint8_t { datagram, empty, overrun, failed };
  Read read(const Visitor& visit);

  // Waits until something can be read; false at the deadline.
  bool wait_until(Instant deadline) const;

  // Sends a dump request and visits the answers. A dump that the kernel marks as interrupted by
  // changes is visited again from the start: `restart` is called first.
  Status dump(nl_msg* request, const Visitor& visit, const std::function<void()>& restart,
              Instant deadline);

  std::uint32_t next_sequence() { return ++sequence_; }

 private:
  explicit NetlinkSocket(FileDescriptor fd);
  FileDescriptor fd_;
  std::vector<std::uint8_t> buffer_;
  std::uint32_t sequence_ = 0;
};

}  // namespace hotpair::sys
