#include "platform/linux/descriptor_passing.hpp"

#include <array>
#include <cstring>

#include <sys/socket.h>

namespace hotpair::sys {
namespace {

constexpr std::size_t kMaxText = 1024;

union Control {
  cmsghdr header;  // aligns the room
  char room[CMSG_SPACE(sizeof(int))];
};

}  // namespace

bool send_with_descriptor(int socket, const std::string& text, int descriptor) {
  std::string body = text.substr(0, kMaxText);
  iovec part{body.data(), body.size()};
  Control control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (descriptor >= 0) {
    message.msg_control = control.room;
    message.msg_controllen = sizeof control.room;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  return ::sendmsg(socket, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(body.size());
}

std::optional<ReceivedDescriptor> receive_with_descriptor(int socket) {
  std::array<char, kMaxText> body;
  iovec part{body.data(), body.size()};
  Control control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.room;
  message.msg_controllen = sizeof control.room;
  const ssize_t size = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  if (size <= 0) return std::nullopt;
  ReceivedDescriptor received{std::string(body.data(), static_cast<std::size_t>(size)), {}};
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
      header->cmsg_len == CMSG_LEN(sizeof(int))) {
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    received.descriptor.reset(descriptor);
  }
  return received;
}

std::optional<uid_t> peer_user(int socket) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
  return credentials.uid;
}

}  // namespace hotpair::sys
