#include "tools/bench/kernel/short_connections.hpp"

#include <atomic>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

#include <netinet/in.h>

#include "dataplane/conntrack/sink.hpp"
#include "platform/base/bytes.hpp"
#include "platform/linux/clock.hpp"
#include "tools/bench/kernel/packet_traffic.hpp"
#include "tools/bench/kernel/race.hpp"

namespace hotpair::bench::kernel {
namespace {

constexpr Duration kRoundTrip = 5ms;  // between two packets of a connection
constexpr Duration kAtRest = 1s;      // from the last packet to the end of the entry
constexpr Duration kPatience = 3s;    // for what is under way in the end

dataplane::SessionKey key_of(std::uint32_t number) {
  const PacketFlow flow = flow_of(number, IPPROTO_TCP);
  dataplane::SessionKey key;
  key.protocol = IPPROTO_TCP;
  store_be(key.original.src.bytes.data(), flow.client);
  store_be(key.original.dst.bytes.data(), flow.server);
  key.original.src_port = flow.client_port;
  key.original.dst_port = flow.server_port;
  return key;
}

// Connections begin one by one; of each that is under way the next packet is sent when its round
// trip is over. Its entry is taken out when it has been at rest, as its timeout would.
class Sender {
 public:
  static Result<Sender> make(const TwoBoxes& boxes, const ConnectionLoad& load) {
    auto packets = PacketTraffic::open(boxes, 0);
    if (!packets.ok()) return fail(packets.error());
    const Inside inside(boxes, 0);
    auto sink = conntrack::Sink::open();
    if (!sink.ok()) return fail(sink.error());
    return Sender(std::move(packets).value(), std::move(sink).value(), load);
  }

  // Connections `first` up to `last`; the entries of the last ones stay, and whole ones at that.
  Status run(std::uint32_t first, std::uint32_t last) {
    const auto apart = [this](Duration time) {
      return static_cast<std::uint32_t>(to_seconds(time) * load_.rate) + 1;
    };
    const std::uint32_t step = apart(kRoundTrip);
    const std::uint32_t rest = step * PacketTraffic::kSteps + apart(kAtRest);
    const Instant began = sys::now();
    for (std::uint32_t n = first; n < last + step * PacketTraffic::kSteps; ++n) {
      for (unsigned k = 0; k < PacketTraffic::kSteps; ++k)
        if (n >= first + k * step && n < last + k * step) packets_.tcp(n - k * step, k);
      packets_.flush();
      if (n >= rest && n < last) sink_->remove(key_of(n - rest));
      std::this_thread::sleep_for(began + Duration(1s) * (n + 1 - first) / load_.rate - sys::now());
    }
    sink_->flush();
    return packets_.outcome();
  }

  void remove(std::uint32_t first, std::uint32_t last) {
    for (std::uint32_t n = first; n < last; ++n) sink_->remove(key_of(n));
    sink_->flush();
  }

 private:
  Sender(PacketTraffic packets, std::unique_ptr<conntrack::Sink> sink, const ConnectionLoad& load)
      : packets_(std::move(packets)), sink_(std::move(sink)), load_(load) {}
  PacketTraffic packets_;
  std::unique_ptr<conntrack::Sink> sink_;
  ConnectionLoad load_;
};

// Bytes and frames of the cable, both ways, by /proc/net/dev of the first box.
struct Carried {
  double bytes = 0, frames = 0;
};
Carried carried(const TwoBoxes& boxes) {
  const Inside inside(boxes, 0);
  std::ifstream file("/proc/thread-self/net/dev");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(':');
    if (colon == std::string::npos || line.find(TwoBoxes::kDevice) > colon) continue;
    std::istringstream fields(line.substr(colon + 1));
    std::array<double, 16> value{};
    for (double& field : value) fields >> field;
    return {value[0] + value[8], value[1] + value[9]};
  }
  return {};
}

}  // namespace

Result<double> traffic_alone(const TwoBoxes& boxes, const ConnectionLoad& load) {
  auto sender = Sender::make(boxes, load);
  if (!sender.ok()) return fail(sender.error());
  const std::uint32_t count = load.rate * load.seconds;
  const Duration before = sys::cpu_time();
  if (Status sent = sender->run(0, count); !sent.ok()) return fail(sent.error());
  const double used = to_seconds(sys::cpu_time() - before);
  sender->remove(0, count);
  return used * 1e6 / count;
}

Result<ConnectionCosts> measure_connections(const TwoBoxes& boxes, Replicator& replicator,
                                            const ConnectionLoad& load) {
  auto sender = Sender::make(boxes, load);
  if (!sender.ok()) return fail(sender.error());
  const std::uint32_t warm = 2 * load.rate, count = load.rate * load.seconds;
  ConnectionCosts out;
  out.connections = count;
  Status sent = Ok{};
  std::atomic<int> phase{0};
  double traffic = 0;
  std::thread traffic_thread([&] {
    sent = sender->run(0, warm);
    if (sent.ok()) {
      phase = 1;
      const Duration before = sys::cpu_time();
      sent = sender->run(warm, warm + count);
      traffic = to_seconds(sys::cpu_time() - before);
    }
    phase = 2;
  });
  const auto rest_until = [&](int awaited) {
    Status resting = Ok{};
    while (phase < awaited && resting.ok()) resting = rest(replicator, 1ms);
    return resting;
  };
  Status resting = rest_until(1);
  const Carried wire_before = carried(boxes);
  const std::array<double, 2> before = {replicator.cpu_seconds(0), replicator.cpu_seconds(1)};
  if (resting.ok()) resting = rest_until(2);
  traffic_thread.join();
  if (!resting.ok()) return fail(resting.error());
  if (!sent.ok()) return fail(sent.error());
  const Carried wire = carried(boxes);
  for (const int end : {0, 1})
    out.end_us[static_cast<std::size_t>(end)] =
        (replicator.cpu_seconds(end) - before[static_cast<std::size_t>(end)]) * 1e6 / count;
  out.traffic_us = traffic * 1e6 / count;
  out.bytes = (wire.bytes - wire_before.bytes) / count;
  out.frames = (wire.frames - wire_before.frames) / count;
  for (const Instant until = sys::now() + kPatience;
       sys::now() < until && boxes.tracked(0) != boxes.tracked(1);)
    if (Status rested = rest(replicator, 20ms); !rested.ok()) return fail(rested.error());
  out.left = {boxes.tracked(0), boxes.tracked(1)};
  return out;
}

}  // namespace hotpair::bench::kernel
