// The connection to hotpaird: a seqpacket client that reconnects by itself. Carries the messages of
// dataplane/core/control.hpp and understands none but Hello and Welcome.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "dataplane/core/control.hpp"
#include "dataplane/dpdk/counters.hpp"
#include "platform/base/log.hpp"
#include "platform/linux/event_loop.hpp"
#include "platform/linux/unix_socket.hpp"

namespace hotpair::dpdk {

struct AgentLinkOptions {
  std::string path;
  std::uint8_t chassis = 0;
  std::uint16_t group = 0;
  std::array<std::uint8_t, 16> nonce{};  // of this run
};

class AgentLink {
 public:
  using Handler = std::function<void(const dataplane::control::ToDataplane&)>;
  // The loop must outlive the link. `handler` gets everything but Welcome, in order, once Welcome
  // was right.
  AgentLink(sys::EventLoop& loop, AgentLinkOptions options, Counters& counters, Log log,
            Handler handler);
  ~AgentLink();
  AgentLink(const AgentLink&) = delete;
  AgentLink& operator=(const AgentLink&) = delete;

  bool connected() const { return welcomed_; }
  // False, and counted, when nobody is connected or the agent does not read.
  bool send(const dataplane::control::ToAgent& message);

 private:
  void connect();
  void read();
  void handle(Bytes message);
  void welcome(const dataplane::control::Welcome& message);
  void lose(const std::string& why);
  void retry_later();

  sys::EventLoop& loop_;
  AgentLinkOptions options_;
  Counters& counters_;
  Log log_;
  Handler handler_;
  sys::UnixSocket socket_;
  bool welcomed_ = false, complained_ = false;
  sys::TimerId retry_ = 0;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace hotpair::dpdk
