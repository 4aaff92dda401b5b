#include "tools/bench/kernel/churn.hpp"

#include <vector>

#include "dataplane/conntrack/sink.hpp"
#include "platform/base/rng.hpp"
#include "platform/linux/clock.hpp"
#include "tools/bench/synthetic_sessions.hpp"

namespace hotpair::bench::kernel {
namespace {

constexpr std::uint32_t kBatch = 64;
constexpr std::uint32_t kTimeout = 100'000;  // none runs out while this is measured

// One change of a session that is, or is not, in the kernel.
void change(conntrack::Sink& sink, std::uint32_t number, bool& live, Rng& rng) {
  dataplane::Session session = synthetic_session(number, kTimeout);
  if (live && rng.chance(1, 3)) {
    sink.remove(session.key);
    live = false;
    return;
  }
  session.state.mark = static_cast<std::uint32_t>(rng.below(8));
  session.state.timeout_s += static_cast<std::uint32_t>(rng.below(1000));
  sink.upsert(session, session.state.timeout_s, !live);
  live = true;
}

}  // namespace

Status Churn::end() {
  over_ = true;
  if (thread_.joinable()) thread_.join();
  return outcome_;
}

Status Churn::run(const TwoBoxes& boxes, const Load& load) {
  const Inside inside(boxes, 0);
  auto sink = conntrack::Sink::open();
  if (!sink.ok()) return fail(sink.error());
  Rng rng(load.seed);
  std::vector<std::uint8_t> there(load.sessions);
  const Instant began = sys::now();
  while (!over_) {
    for (std::uint32_t i = 0; i < kBatch; ++i) {
      const auto number = static_cast<std::uint32_t>(rng.below(load.sessions));
      bool live = there[number] != 0;
      change(**sink, number, live, rng);
      there[number] = live ? 1 : 0;
    }
    (*sink)->flush();
    changes_ += kBatch;
    const Duration due = Duration(1s) * static_cast<std::int64_t>(changes_.load()) / load.rate;
    std::this_thread::sleep_for(began + due - sys::now());
  }
  if ((*sink)->counters().failed == 0) return Ok{};
  return fail_with("the kernel refused sessions of the soak's own");
}

}  // namespace hotpair::bench::kernel
