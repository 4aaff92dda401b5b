// A stream socket on which requests and answers are lines. Each connection is served one request at
// a time: the next line is read once the present one was answered, so a client that does not read
// its answers holds up itself alone. Buffers and the number of connections are bounded.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "platform/base/result.hpp"
#include "platform/base/time.hpp"
#include "platform/linux/event_loop.hpp"

namespace hotpair::sys {

struct LineServerOptions {
  std::string path;
  std::size_t max_line = 64 * 1024;  // of a request, without the newline
  std::size_t max_answer =
      16 * 1024 * 1024;  // bytes waiting for a slow reader; more closes the connection
  // One more closes the one at rest for longest; while all are being served it waits in the
  // kernel's queue.
  std::size_t max_connections = 32;
  Duration idle_timeout = 60s;  // of a connection that asks nothing or does not read
  std::string too_long_answer;  // sent as a line before a request over max_line is cut off
};

using ConnectionId = std::uint64_t;  // never used twice

class LineServer {
 public:
  // Called once a request, with the line without its newline. answer() may be called inside or
  // later.
  using Handler = std::function<void(ConnectionId, std::string_view line)>;

  // The loop must outlive the server.
  static Result<std::unique_ptr<LineServer>> listen(EventLoop& loop, LineServerOptions options,
                                                    Handler handler);
  ~LineServer();

  // False when the connection is gone. `line` carries no newline of its own.
  bool answer(ConnectionId connection, std::string_view line);
  // The same, and the connection is closed once the answer has left.
  bool answer_and_close(ConnectionId connection, std::string_view line);
  std::size_t connections() const;

 private:
  struct State;
  explicit LineServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace hotpair::sys
