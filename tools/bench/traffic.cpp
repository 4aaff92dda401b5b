#include "tools/bench/traffic.hpp"

#include <algorithm>

#include "platform/linux/clock.hpp"
#include "tools/bench/report.hpp"

namespace hotpair::bench {
namespace {

constexpr Duration kConnectTime = 10s;
// Datagrams still under way when a report is asked for have this long to come back.
constexpr Duration kDatagramGrace = 300ms;

}  // namespace

Traffic::Traffic(sys::EventLoop& loop, const TrafficOptions& options, Printer print)
    : loop_(loop), options_(options), print_(std::move(print)) {
  tick_ = std::min<Duration>(options_.udp_interval, 1ms);
  wheel_slots_ = static_cast<std::size_t>(std::max<std::int64_t>(1, options_.tcp_interval / tick_));
}

Status Traffic::start() {
  std::vector<Endpoint> servers;
  for (const std::string& address : options_.servers) {
    auto endpoint = parse_endpoint(address, options_.port);
    if (!endpoint) return fail(endpoint.error());
    servers.push_back(*endpoint);
  }
  if (Status opened = open_flows(servers); !opened) return opened;
  started_ = window_began_ = next_tick_ = next_datagrams_ = sys::now();
  loop_.on_deadline([this] { tick(); });
  loop_.set_deadline(next_tick_);
  return Ok{};
}

Status Traffic::open_flows(const std::vector<Endpoint>& servers) {
  for (const Endpoint& server : servers) {
    for (int i = 0; i < options_.udp; ++i) {
      auto stream = UdpStream::open(server);
      if (!stream) return fail(stream.error());
      streams_.push_back(std::move(*stream));
    }
  }
  for (int i = 0; i < options_.tcp; ++i) {
    auto flow = TcpFlow::open(servers[static_cast<std::size_t>(i) % servers.size()]);
    if (!flow) return fail(flow.error());
    flows_.push_back(std::move(*flow));
  }
  for (UdpStream& stream : streams_) {
    if (Status s = loop_.add(stream.fd(), EPOLLIN, [&](std::uint32_t) { stream.receive(); }); !s)
      return s;
  }
  for (TcpFlow& flow : flows_) {
    auto act = [this, &flow](std::uint32_t) {
      const bool was_open = flow.connected();
      flow.ready(sys::now());
      if (flow.dead()) return loop_.remove(flow.fd());
      if (!was_open && flow.connected()) (void)loop_.modify(flow.fd(), EPOLLIN);
    };
    if (Status s = loop_.add(flow.fd(), EPOLLIN | EPOLLOUT, act); !s) return s;
  }
  return Ok{};
}

// A late tick is not made up for in a burst: the pause in sending is reported instead.
void Traffic::tick() {
  const Instant now = sys::now();
  if (now >= next_datagrams_) {
    for (UdpStream& stream : streams_) stream.send(now);
    while (next_datagrams_ <= now) next_datagrams_ += options_.udp_interval;
  }
  do {
    ping_due(now);
    next_tick_ += tick_;
  } while (next_tick_ <= now);
  if (!ready_said_) say_ready(now);
  if (reporting_ && (settled() || now - report_asked_ > options_.settle)) finish_report(now);
  loop_.set_deadline(next_tick_);
}

void Traffic::ping_due(Instant now) {
  for (std::size_t i = wheel_at_; i < flows_.size(); i += wheel_slots_) flows_[i].ping(now);
  wheel_at_ = (wheel_at_ + 1) % wheel_slots_;
}

void Traffic::say_ready(Instant now) {
  const bool all = std::all_of(flows_.begin(), flows_.end(),
                               [](const TcpFlow& f) { return f.connected() || f.dead(); });
  if (!all && now - started_ < kConnectTime) return;
  ready_said_ = true;
  nlohmann::json ready = tcp_report(now);
  ready.update({{"event", "ready"}, {"udp_streams", streams_.size()}});
  print_(ready);
}

void Traffic::mark(const std::string& name) {
  const Instant now = sys::now();
  window_ = name;
  window_began_ = now;
  reporting_ = false;
  for (UdpStream& stream : streams_) stream.begin_window(now);
  for (TcpFlow& flow : flows_) flow.begin_window();
  print_({{"event", "marked"}, {"window", window_}});
}

void Traffic::report() {
  report_asked_ = sys::now();
  reporting_ = true;
  for (UdpStream& stream : streams_) stream.end_window(report_asked_);
}

bool Traffic::settled() const {
  const bool returned = std::all_of(streams_.begin(), streams_.end(),
                                    [](const UdpStream& s) { return s.all_returned(); });
  const bool proven = std::all_of(flows_.begin(), flows_.end(), [this](const TcpFlow& f) {
    return f.dead() || f.proven_since(report_asked_);
  });
  return proven && (returned || sys::now() - report_asked_ > kDatagramGrace);
}

void Traffic::finish_report(Instant now) {
  reporting_ = false;
  nlohmann::json udp = nlohmann::json::array();
  for (const UdpStream& stream : streams_) udp.push_back(stream.report());
  print_({{"event", "report"},
          {"window", window_},
          {"seconds", milliseconds(report_asked_ - window_began_) / 1e3},
          {"udp", udp},
          {"tcp", tcp_report(now)}});
}

// Alive is what answered since the report was asked for; the rest says why not.
nlohmann::json Traffic::tcp_report(Instant now) const {
  std::map<std::string, int> reasons;
  Duration longest{};
  std::uint64_t exchanges = 0;
  std::size_t alive = 0;
  for (const TcpFlow& flow : flows_) {
    longest = std::max(longest, flow.longest_wait(now));
    exchanges += flow.exchanges();
    const bool proven =
        report_asked_ == Instant{} ? flow.connected() : flow.proven_since(report_asked_);
    if (proven && !flow.dead())
      ++alive;
    else if (flow.dead())
      ++reasons[flow.reason()];
    else if (flow.connected())
      ++reasons["no answer"];
    else
      ++reasons["could not connect in time"];
  }
  return {{"connections", flows_.size()},  {"alive", alive},
          {"dead", flows_.size() - alive}, {"reasons", reasons},
          {"exchanges", exchanges},        {"longest_stall_ms", milliseconds(longest)}};
}

}  // namespace hotpair::bench
