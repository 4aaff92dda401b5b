// A small, strict HTTP server for what only reads: GET and HEAD, one request a connection, no
// bodies. Everything a client can take is bounded: connections, the head of its request, the time
// it may take to ask and to read. A newcomer to a full house replaces the one that has been asking
// for longest, so slow clients hold up themselves alone. Without a client nothing runs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "platform/base/result.hpp"
#include "platform/base/time.hpp"
#include "platform/linux/event_loop.hpp"
#include "platform/linux/http_message.hpp"
#include "platform/linux/listen_socket.hpp"

namespace hotpair::sys {

struct HttpLimits {
  std::size_t max_connections = 16;
  Duration ask_within = 5s;    // from the connection to the end of the request's head
  Duration read_within = 10s;  // from then on until the answer was taken
};

class HttpServer {
 public:
  // Answers at once, in the loop's thread.
  using Handler = std::function<HttpResponse(const HttpRequest&)>;

  // The loop must outlive the server.
  static Result<std::unique_ptr<HttpServer>> listen(EventLoop& loop, const ListenAddress& at,
                                                    Handler handler, HttpLimits limits = {});
  ~HttpServer();

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace hotpair::sys
