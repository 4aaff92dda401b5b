// Descriptors as messages between processes of one machine (SCM_RIGHTS, unix(7)).
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

#include "platform/linux/file_descriptor.hpp"

namespace hotpair::sys {

// One message of at most 1024 bytes on a seqpacket socket, with a descriptor or (-1) without.
bool send_with_descriptor(int socket, const std::string& text, int descriptor);

struct ReceivedDescriptor {
  std::string text;
  FileDescriptor descriptor;  // none: the message carried none
};
std::optional<ReceivedDescriptor> receive_with_descriptor(int socket);

// Who connected, as the kernel knows it.
std::optional<uid_t> peer_user(int socket);

}  // namespace hotpair::sys
