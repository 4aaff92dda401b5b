// Many connections and datagram streams at once through whatever lies between, measured in windows.
// One thread: the event loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "platform/base/result.hpp"
#include "platform/linux/event_loop.hpp"
#include "tools/bench/tcp_flow.hpp"
#include "tools/bench/udp_stream.hpp"

namespace hotpair::bench {

struct TrafficOptions {
  std::vector<std::string>
      servers;  // one or two addresses; connections and streams are spread over them
  std::uint16_t port = 7777;
  int tcp = 200;
  Duration tcp_interval = 50ms;  // between the exchanges of one connection
  int udp = 1;                   // streams to each server
  Duration udp_interval = 1ms;
  Duration settle = 5s;  // how long a report waits for the last signs of life
};

class Traffic {
 public:
  using Printer = std::function<void(const nlohmann::json&)>;

  // `print` gets one object for each event: ready, marked, report.
  Traffic(sys::EventLoop& loop, const TrafficOptions& options, Printer print);
  Status start();
  void mark(const std::string& name);
  // The window of the last mark ends; the report follows once every connection has proved to be
  // alive or the time to settle is over.
  void report();

 private:
  Status open_flows(const std::vector<Endpoint>& servers);
  void tick();
  void ping_due(Instant now);
  void say_ready(Instant now);
  void finish_report(Instant now);
  bool settled() const;
  nlohmann::json tcp_report(Instant now) const;

  sys::EventLoop& loop_;
  TrafficOptions options_;
  Printer print_;
  std::vector<UdpStream> streams_;
  std::vector<TcpFlow> flows_;
  Duration tick_{};  // the pace of the loop
  Instant next_tick_{}, next_datagrams_{};
  std::size_t wheel_at_ = 0;  // the connections are spread evenly over the slots of one interval
  std::size_t wheel_slots_ = 1;
  bool ready_said_ = false;
  Instant started_{};
  std::string window_ = "start";
  Instant window_began_{};
  bool reporting_ = false;
  Instant report_asked_{};
};

}  // namespace hotpair::bench
