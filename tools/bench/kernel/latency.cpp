#include "tools/bench/kernel/latency.hpp"

#include <atomic>
#include <optional>
#include <thread>
#include <unordered_map>
#include <vector>

#include <poll.h>

#include "dataplane/conntrack/sink.hpp"
#include "dataplane/conntrack/source.hpp"
#include "dataplane/core/session_key.hpp"
#include "platform/linux/clock.hpp"
#include "tools/bench/kernel/race.hpp"
#include "tools/bench/synthetic_sessions.hpp"

namespace hotpair::bench::kernel {
namespace {

constexpr std::uint32_t kTimeout = 3600;
constexpr Duration kPatience = 2s;  // for the last ones

// When each session was made, by the digest of its key; found by the thread that sees it arrive.
class Births {
 public:
  explicit Births(const LatencyLoad& load, std::uint32_t count) : at_(count) {
    numbers_.reserve(count);
    for (std::uint32_t i = 0; i < count; ++i)
      numbers_[dataplane::digest_key(synthetic_session(load.first + i, kTimeout).key)] = i;
  }
  void note(std::uint32_t number) {
    at_[number].store(sys::now().time_since_epoch().count(), std::memory_order_release);
  }
  // Nothing of a session that is none of these.
  std::optional<Instant> of(const dataplane::SessionKey& key) const {
    const auto found = numbers_.find(dataplane::digest_key(key));
    if (found == numbers_.end()) return std::nullopt;
    return Instant(Duration(at_[found->second].load(std::memory_order_acquire)));
  }

 private:
  std::unordered_map<std::uint64_t, std::uint32_t> numbers_;
  std::vector<std::atomic<std::int64_t>> at_;
};

class Arrivals final : public conntrack::SourceVisitor {
 public:
  Arrivals(const Births& births, Latency& out) : births_(births), out_(out) {}
  void on_begin(const dataplane::Session& session) override {
    if (const auto born = births_.of(session.key)) out_.times.add(sys::now() - *born);
  }
  void on_upsert(const dataplane::Session&) override {}
  void on_destroy(const dataplane::SessionKey&) override {}
  void on_expectation(const dataplane::SessionKey&, const dataplane::Expectation&, bool) override {}
  void on_dump_entry(const dataplane::Session&) override {}
  void on_dump_done(bool) override {}
  void on_overrun() override {}

 private:
  const Births& births_;
  Latency& out_;
};

Status make(const TwoBoxes& boxes, const LatencyLoad& load, std::uint32_t count, Births& births) {
  const Inside inside(boxes, 0);
  auto sink = conntrack::Sink::open();
  if (!sink.ok()) return fail(sink.error());
  const Instant began = sys::now();
  for (std::uint32_t i = 0; i < count; ++i) {
    std::this_thread::sleep_for(began + Duration(1s) * i / load.rate - sys::now());
    births.note(i);
    (*sink)->upsert(synthetic_session(load.first + i, kTimeout), kTimeout, true);
    (*sink)->flush();
  }
  return Ok{};
}

Result<std::unique_ptr<conntrack::Source>> listen(const TwoBoxes& boxes) {
  boxes.raise_events(1, true);
  const Inside inside(boxes, 1);
  auto source = conntrack::Source::open({});
  if (!source.ok()) return source;
  if (Status listening = (*source)->subscribe(); !listening.ok()) return fail(listening.error());
  return source;
}

}  // namespace

Result<Latency> measure_latency(const TwoBoxes& boxes, Replicator& replicator,
                                const LatencyLoad& load) {
  auto source = listen(boxes);
  if (!source.ok()) return fail(source.error());
  const auto count = static_cast<std::uint32_t>(load.rate * to_seconds(load.time));
  Births births(load, count);
  Latency out;
  out.sessions = count;
  std::atomic<bool> over{false};
  std::thread observer([&] {
    Arrivals arrivals(births, out);
    pollfd readable{.fd = (*source)->event_fd(), .events = POLLIN, .revents = 0};
    while (!over) {
      (void)::poll(&readable, 1, 10);
      (void)(*source)->poll_events(arrivals, 512);
    }
  });
  Status made = Ok{};
  std::thread maker([&] { made = make(boxes, load, count, births); });
  Status rested = rest(replicator, load.time + kPatience);
  maker.join();
  over = true;
  observer.join();
  if (!made.ok()) return fail(made.error());
  if (!rested.ok()) return fail(rested.error());
  return out;
}

}  // namespace hotpair::bench::kernel
