// Unix sockets in the file system, seqpacket (one message a datagram) and stream. Everything is
// non-blocking and close-on-exec. The socket file gets mode 0660; one left behind by a dead process
// is replaced, one that somebody listens on is not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "platform/base/bytes.hpp"
#include "platform/base/result.hpp"
#include "platform/linux/file_descriptor.hpp"

namespace hotpair::sys {

enum class UnixKind : std::uint8_t { stream, seqpacket };

class UnixSocket {
 public:
  enum class Outcome : std::uint8_t { done, would_block, closed, too_long };

  // Fails when nobody listens there.
  static Result<UnixSocket> connect(const std::string& path, UnixKind kind);

  UnixSocket() = default;
  explicit UnixSocket(FileDescriptor fd) : fd_(std::move(fd)) {}

  int fd() const { return fd_.get(); }
  explicit operator bool() const { return static_cast<bool>(fd_); }
  FileDescriptor take() && { return std::move(fd_); }

  // One message (seqpacket). would_block: the peer does not read; nothing was sent.
  Outcome send(Bytes message);
  // One message (seqpacket), at most `max` bytes; a longer one is consumed and reported as
  // too_long.
  Outcome receive(std::vector<std::uint8_t>& message, std::size_t max);
  // The process at the other end, as the kernel knows it.
  std::optional<pid_t> peer_pid() const;

 private:
  FileDescriptor fd_;
};

class UnixListener {
 public:
  static Result<UnixListener> listen(const std::string& path, UnixKind kind);
  UnixListener(UnixListener&& other) noexcept = default;
  UnixListener& operator=(UnixListener&&) = delete;
  ~UnixListener();  // removes the socket file

  int fd() const { return fd_.get(); }
  std::optional<UnixSocket> accept();  // none: nobody waits, or the process is out of descriptors

 private:
  UnixListener(FileDescriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  FileDescriptor fd_;
  std::string path_;
};

}  // namespace hotpair::sys
