#include "tools/bench/kernel/maker.hpp"

#include "dataplane/conntrack/sink.hpp"
#include "platform/linux/clock.hpp"
#include "platform/linux/scheduling.hpp"
#include "tools/bench/kernel/packet_traffic.hpp"
#include "tools/bench/synthetic_sessions.hpp"

namespace hotpair::bench::kernel {
namespace {

constexpr std::uint32_t kTimeout = 3600;
constexpr std::uint32_t kBatch = 64;

}  // namespace

Status Maker::join() {
  if (thread_.joinable()) thread_.join();
  return outcome_;
}

Status Maker::make(const TwoBoxes& boxes, const Load& load) {
  if (load.cpu) (void)sys::run_on_cpu(*load.cpu);
  Status made = load.packets ? make_by_packets(boxes, load) : make_by_ctnetlink(boxes, load);
  done_ = true;
  return made;
}

void Maker::note(std::uint32_t made, const Load& load, Instant began) {
  made_ = made;
  if (load.rate == 0) return;
  std::this_thread::sleep_for(began + Duration(1s) * made / load.rate - sys::now());
}

Status Maker::make_by_packets(const TwoBoxes& boxes, const Load& load) {
  auto packets = PacketTraffic::open(boxes, 0);
  if (!packets.ok()) return fail(packets.error());
  const Instant began = sys::now();
  std::uint32_t number = 0;
  while (number < load.sessions && !over_) {
    packets->begin(number);
    if (++number % kBatch == 0) note(number, load, began);
  }
  packets->flush();
  made_ = number;
  return packets->outcome();
}

Status Maker::make_by_ctnetlink(const TwoBoxes& boxes, const Load& load) {
  const Inside inside(boxes, 0);
  auto sink = conntrack::Sink::open();
  if (!sink.ok()) return fail(sink.error());
  const Instant began = sys::now();
  for (std::uint32_t number = 0; number < load.sessions; ++number) {
    (*sink)->upsert(synthetic_session(number, kTimeout), kTimeout, true);
    if (number % kBatch != kBatch - 1) continue;
    (*sink)->flush();
    note(number + 1, load, began);
  }
  (*sink)->flush();
  made_ = load.sessions;
  if ((*sink)->counters().failed == 0) return Ok{};
  return fail_with(
      "the kernel refused sessions; raise it: sysctl -w "
      "net.netfilter.nf_conntrack_max=" +
      std::to_string(3 * load.sessions));
}

}  // namespace hotpair::bench::kernel
