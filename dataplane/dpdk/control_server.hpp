// The data plane's control socket: status, sessions, verify (agent/daemon/control_schema.hpp).
// Reads the replica and changes nothing in it. Every answer costs a bounded time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "dataplane/dpdk/counters.hpp"
#include "dataplane/dpdk/replica.hpp"
#include "platform/linux/event_loop.hpp"
#include "platform/linux/line_server.hpp"

namespace hotpair::dpdk {

class ControlServer {
 public:
  static Result<std::unique_ptr<ControlServer>> listen(sys::EventLoop& loop,
                                                       const std::string& path, Replica& replica,
                                                       const Counters& counters,
                                                       const bool& agent_connected);

  void work(Instant now);  // answers comparisons that are finished; call about every 10 ms
  bool waiting() const { return !verifying_.empty(); }

 private:
  ControlServer(Replica& replica, const Counters& counters, const bool& agent_connected)
      : replica_(replica), counters_(counters), agent_connected_(agent_connected) {}
  struct Verifying {
    sys::ConnectionId connection = 0;
    std::uint32_t round = 0;  // a later one answers
    Instant until{};
  };
  void handle(sys::ConnectionId connection, std::string_view line);
  void begin_verify(sys::ConnectionId connection);
  std::string status() const;

  Replica& replica_;
  const Counters& counters_;
  const bool& agent_connected_;
  std::unique_ptr<sys::LineServer> server_;
  std::vector<Verifying> verifying_;  // at most one a connection
};

}  // namespace hotpair::dpdk
