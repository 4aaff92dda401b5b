// Messages of a type and a bounded payload over a stream socket: {type u8, size u32, payload},
// network byte order. Blocking with a limit, for threads and command lines of their own; one
// thread.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "platform/base/bytes.hpp"
#include "platform/base/time.hpp"
#include "platform/linux/file_descriptor.hpp"

namespace hotpair::sys {

struct Message {
  std::uint8_t type = 0;
  std::vector<std::uint8_t> payload;

  std::string_view text() const {
    return {reinterpret_cast<const char*>(payload.data()), payload.size()};
  }
};

// All of `bytes` in one piece; false when the other end is gone or did not take it in time.
bool write_all(int fd, Bytes bytes, Duration timeout);
bool read_all(int fd, MutableBytes out, Duration timeout);

class MessageStream {
 public:
  enum class Outcome : std::uint8_t { done, timed_out, closed, too_long };

  // Makes the socket non-blocking. A longer payload than `max_payload` is refused, both ways.
  explicit MessageStream(FileDescriptor socket, std::size_t max_payload = 64 * 1024);

  int fd() const { return socket_.get(); }
  std::size_t max_payload() const { return max_payload_; }

  Outcome send(std::uint8_t type, Bytes payload, Duration timeout);
  Outcome send(std::uint8_t type, std::string_view payload, Duration timeout);
  // `timeout` zero: what has arrived, without waiting. After too_long or closed it is of no further
  // use.
  Outcome receive(Message& message, Duration timeout);

 private:
  bool take(Message& message, Outcome& outcome);

  FileDescriptor socket_;
  std::size_t max_payload_;
  std::vector<std::uint8_t> in_;
  std::size_t used_ = 0;  // of `in_`, already handed out
};

}  // namespace hotpair::sys
