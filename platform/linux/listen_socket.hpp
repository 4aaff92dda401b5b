// Where a small service listens: an IP address with a port, or a Unix socket.
//   "127.0.0.1:9184"   "[::1]:9184"   "/run/hotpair/metrics.sock"
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "platform/base/result.hpp"
#include "platform/linux/file_descriptor.hpp"
#include "platform/linux/ip_address.hpp"
#include "platform/linux/unix_socket.hpp"

namespace hotpair::sys {

struct ListenAddress {
  std::string path;  // of a Unix socket; empty: TCP
  IpAddress address{};
  std::uint16_t port = 0;

  bool is_unix() const { return !path.empty(); }
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

std::optional<ListenAddress> parse_listen_address(std::string_view text);
std::string to_text(const ListenAddress& address);

// A listening stream socket, non-blocking. Its file, when it has one, gets mode 0660 and goes with
// it.
class ListenSocket {
 public:
  // The IP address need not be there yet (IP_FREEBIND).
  static Result<ListenSocket> open(const ListenAddress& at);

  int fd() const { return unix_ ? unix_->fd() : tcp_.get(); }
  FileDescriptor accept();  // none: nobody waits, or the process is out of descriptors

 private:
  ListenSocket() = default;
  std::optional<UnixListener> unix_;
  FileDescriptor tcp_;
};

}  // namespace hotpair::sys
