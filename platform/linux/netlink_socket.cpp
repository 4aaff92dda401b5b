#include "platform/linux/netlink_socket.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>

#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <poll.h>
#include <sys/socket.h>

#include "platform/linux/clock.hpp"
#include "platform/linux/system_error.hpp"

namespace hotpair::sys {
namespace {

// The kernel fills dump datagrams up to 32 KiB (NLMSG_GOODSIZE); a longer one is reported, not
// parsed.
constexpr std::size_t kDatagramSize = 128 * 1024;
constexpr int kDumpAttempts = 8;
static_assert(NETLINK_ROUTE == 0);  // the default of open()

}  // namespace

void FreeNetlinkMessage::operator()(nl_msg* message) const {
  nlmsg_free(message);
}

NetlinkMessage make_netlink_message(int type, int flags, Bytes fixed) {
  NetlinkMessage message(nlmsg_alloc_simple(type, flags));
  HOTPAIR_ASSERT(message != nullptr);
  const int appended = nlmsg_append(message.get(), const_cast<std::uint8_t*>(fixed.data()),
                                    fixed.size(), NLMSG_ALIGNTO);
  HOTPAIR_ASSERT(appended == 0);
  return message;
}

NetlinkSocket::NetlinkSocket(FileDescriptor fd) : fd_(std::move(fd)), buffer_(kDatagramSize) {}

Result<NetlinkSocket> NetlinkSocket::open(std::initializer_list<unsigned> groups,
                                          int receive_buffer, int protocol) {
  FileDescriptor fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
  if (!fd) return fail_errno("cannot open a netlink socket", errno);
  if (setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer, sizeof(int)) != 0)
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(int));
  const int on = 1;
  // Answers carry a text for people, and not the request once more. Old kernels do without.
  setsockopt(fd.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
  setsockopt(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
  setsockopt(fd.get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
  sockaddr_nl local{};
  local.nl_family = AF_NETLINK;
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&local), sizeof(local)) != 0)
    return fail_errno("cannot bind a netlink socket", errno);
  for (unsigned group : groups)
    if (setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) != 0)
      return fail_errno("cannot listen to netlink group " + std::to_string(group), errno);
  return NetlinkSocket(std::move(fd));
}

Status NetlinkSocket::send(Bytes messages) {
  sockaddr_nl kernel{};
  kernel.nl_family = AF_NETLINK;
  for (;;) {
    const ssize_t sent = sendto(fd_.get(), messages.data(), messages.size(), 0,
                                reinterpret_cast<const sockaddr*>(&kernel), sizeof(kernel));
    if (sent == static_cast<ssize_t>(messages.size())) return Ok{};
    if (sent < 0 && errno == EINTR) continue;
    return fail_errno("cannot send to the kernel's netlink", sent < 0 ? errno : EMSGSIZE);
  }
}

NetlinkSocket::Read NetlinkSocket::read(const Visitor& visit) {
  sockaddr_nl from{};
  iovec data{buffer_.data(), buffer_.size()};
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof(from);
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  const ssize_t got = recvmsg(fd_.get(), &message, MSG_TRUNC);
  if (got < 0) {
    if (errno == EAGAIN || errno == EINTR) return Read::empty;
    return errno == ENOBUFS ? Read::overrun : Read::failed;
  }
  if (from.nl_pid != 0) return Read::datagram;
  if (static_cast<std::size_t>(got) > buffer_.size()) return Read::overrun;
  int left = static_cast<int>(got);
  auto* header = static_cast<nlmsghdr*>(data.iov_base);
  for (; nlmsg_ok(header, left); header = nlmsg_next(header, &left)) visit(*header);
  return Read::datagram;
}

bool NetlinkSocket::wait_until(Instant deadline) const {
  for (;;) {
    const Duration left = deadline - now();
    if (left <= Duration::zero()) return false;
    pollfd watched{fd_.get(), POLLIN, 0};
    const timespec timeout{static_cast<time_t>(left / 1s), static_cast<long>((left % 1s).count())};
    if (ppoll(&watched, 1, &timeout, nullptr) > 0) return true;
  }
}

Status NetlinkSocket::dump(nl_msg* request, const Visitor& visit,
                           const std::function<void()>& restart, Instant deadline) {
  for (int attempt = 0; attempt < kDumpAttempts; ++attempt) {
    restart();
    nlmsghdr* header = nlmsg_hdr(request);
    header->nlmsg_seq = next_sequence();
    header->nlmsg_flags |= NLM_F_REQUEST | NLM_F_DUMP;
    const Bytes bytes(reinterpret_cast<const std::uint8_t*>(header), header->nlmsg_len);
    if (Status sent = send(bytes); !sent) return sent;
    bool done = false, interrupted = false;
    int error = 0;
    auto each = [&](nlmsghdr& answer) {
      if (answer.nlmsg_seq != header->nlmsg_seq || done) return;
      interrupted = interrupted || (answer.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
      if (answer.nlmsg_type == NLMSG_DONE) {
        done = true;
      } else if (answer.nlmsg_type == NLMSG_ERROR) {
        done = true;
        const bool whole = nlmsg_datalen(&answer) >= static_cast<int>(sizeof(nlmsgerr));
        error = whole ? -static_cast<const nlmsgerr*>(nlmsg_data(&answer))->error : EPROTO;
      } else {
        visit(answer);
      }
    };
    while (!done && !interrupted) {
      const Read outcome = read(each);
      if (outcome == Read::overrun) interrupted = true;
      if (outcome == Read::failed)
        return fail_errno("cannot read from the kernel's netlink", errno);
      if (outcome == Read::empty && !wait_until(deadline))
        return fail_with("the kernel did not answer a netlink dump in time; see 'dmesg'");
    }
    if (error != 0) return fail_errno("the kernel refused a netlink dump", error);
    // What is left of an interrupted dump has another sequence and is passed over.
    if (!interrupted) return Ok{};
    while (!done && wait_until(deadline) && read(each) != Read::failed) {
    }
  }
  return fail_with(
      "the kernel's tables changed too fast for a whole netlink dump; see 'ip monitor'");
}

}  // namespace hotpair::sys
