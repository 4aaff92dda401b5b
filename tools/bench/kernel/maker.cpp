#include "tools/bench/kernel/maker.hpp"

#include "dataplane/conntrack/sink.hpp"
#include "platform/linux/clock.hpp"
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
  const Inside inside(boxes, 0);
  auto sink = conntrack::Sink::open();
  if (!sink.ok()) return done_ = true, fail(sink.error());
  const Instant began = sys::now();
  for (std::uint32_t number = 0; number < load.sessions; ++number) {
    (*sink)->upsert(synthetic_session(number, kTimeout), kTimeout, true);
    if (number % kBatch != kBatch - 1) continue;
    (*sink)->flush();
    made_ = number + 1;
    if (load.rate == 0) continue;
    const Instant due = began + Duration(1s) * (number + 1) / load.rate;
    std::this_thread::sleep_for(due - sys::now());
  }
  (*sink)->flush();
  made_ = load.sessions;
  done_ = true;
  if ((*sink)->counters().failed == 0) return Ok{};
  return fail_with(
      "the kernel refused sessions; raise it: sysctl -w "
      "net.netfilter.nf_conntrack_max=" +
      std::to_string(3 * load.sessions));
}

}  // namespace hotpair::bench::kernel
