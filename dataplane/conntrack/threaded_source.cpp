#include "dataplane/conntrack/threaded_source.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <utility>

#include <sys/eventfd.h>

#include "dataplane/conntrack/kernel_thread.hpp"
#include "platform/base/spsc_ring.hpp"
#include "platform/linux/file_descriptor.hpp"

namespace hotpair::conntrack {

namespace {

using dataplane::Expectation;
using dataplane::Session;
using dataplane::SessionKey;

constexpr std::size_t kRing = 8192;
constexpr int kEventsATurn = 512;
constexpr int kRecordsATurn = 256;
// What a turn may put: its events, its records, as many again as 32 KiB of a dump may hold beyond
// them, and the end of the dump.
constexpr std::size_t kMostATurn = 512 + 256 + (32 << 10) / 64 + 1;
static_assert(kMostATurn < kRing / 2);
// After events came: what follows gathers, as it does for a caller who reads by itself. A sleep for
// each would cost more than the event.
constexpr Duration kGather = 200us;

struct Told {
  enum class What : std::uint8_t { upsert, begin, destroy, expectation, dump_entry, dump_done };
  What what = What::upsert;
  bool flag = false;        // gone; complete
  std::uint32_t under = 0;  // the number of the subscription, or of the dump
  Session session;
  Expectation expectation;

  bool of_dump() const { return what == What::dump_entry || what == What::dump_done; }
};

class SourceInAThread final : public Source, private SourceVisitor {
 public:
  SourceInAThread(std::unique_ptr<Source> source, std::optional<unsigned> cpu, Status& on_its_cpu)
      : source_(std::move(source)),
        news_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
        ring_(kRing),
        thread_("conntrack-read", {[this] { return turn(); }, [this] { return awaited(); }}, cpu,
                on_its_cpu) {}

  int event_fd() const override { return news_.get(); }
  int receive_buffer_bytes() const override { return source_->receive_buffer_bytes(); }
  const SourceCounters& counters() const override { return counters_; }
  bool dumping() const override { return dumping_; }

  Status set_pickup(const dataplane::PickupOptions& options) override {
    return in_thread([&] { return source_->set_pickup(options); });
  }

  Status subscribe() override {
    return in_thread([this]() -> Status {
      if (Status joined = source_->subscribe(); !joined.ok()) return joined;
      listening_ = true;
      ++subscription_;
      return Ok{};
    });
  }

  // What the ring still holds of this subscription is passed over.
  void unsubscribe() override {
    (void)in_thread([this]() -> Status {
      source_->unsubscribe();
      listening_ = false;
      ++subscription_;
      return Ok{};
    });
    overrun_ = false;
  }

  Status start_dump() override {
    dumping_ = false;
    const Status started = in_thread([this] {
      ++dump_;
      slice_ = 0;
      return source_->start_dump();
    });
    dumping_ = started.ok();
    return started;
  }

  void stop_dump() override {
    if (!std::exchange(dumping_, false)) return;
    (void)in_thread([this]() -> Status {
      source_->stop_dump();
      slice_ = 0;
      return Ok{};
    });
  }

  bool poll_events(SourceVisitor& visitor, int max_messages) override {
    return deliver(visitor, max_messages);
  }

  // Not to the last event: the thread may be gathering what follows the last that it took.
  bool caught_up() const override { return !reading_ && ring_.empty(); }

  bool poll_dump(SourceVisitor& visitor, int max_messages) override {
    if (dumping_ && slice_ == 0) {
      slice_ = std::min(max_messages, kRecordsATurn);
      thread_.wake();
    }
    deliver(visitor, max_messages);
    return dumping_;
  }

 private:
  // ---- the caller's side ----
  template <typename Job>
  Status in_thread(Job&& job) {
    Status outcome = Ok{};
    thread_.run([&] { outcome = job(); });
    return outcome;
  }

  bool deliver(SourceVisitor& visitor, int most) {
    if (announced_) {
      eventfd_t times = 0;
      (void)::eventfd_read(news_.get(), &times);
      announced_ = false;
      std::atomic_thread_fence(std::memory_order_seq_cst);  // see announce()
    }
    Told* told = ring_.front();
    for (; told != nullptr && most > 0; told = ring_.front(), --most) {
      tell(*told, visitor);
      ring_.drop();
    }
    tell_overrun(visitor);
    read_counters();
    std::atomic_thread_fence(std::memory_order_seq_cst);  // room was made before this is asked
    if (starved_) thread_.wake();
    return told != nullptr;
  }

  void tell(Told& told, SourceVisitor& visitor) {
    const bool stale =
        told.of_dump() ? !dumping_ || told.under != dump_ : told.under != subscription_;
    if (!stale) pass_on(told, visitor);
    told.session.state.extras = {};
  }

  void pass_on(const Told& told, SourceVisitor& visitor) {
    switch (told.what) {
      case Told::What::upsert:
        return visitor.on_upsert(told.session);
      case Told::What::begin:
        return visitor.on_begin(told.session);
      case Told::What::destroy:
        return visitor.on_destroy(told.session.key);
      case Told::What::expectation:
        return visitor.on_expectation(told.session.key, told.expectation, told.flag);
      case Told::What::dump_entry:
        return visitor.on_dump_entry(told.session);
      case Told::What::dump_done:
        // Of events that were lost meanwhile the caller knows before the dump's end.
        tell_overrun(visitor);
        dumping_ = false;
        return visitor.on_dump_done(told.flag);
    }
  }

  void tell_overrun(SourceVisitor& visitor) {
    if (overrun_ && overrun_.exchange(false)) visitor.on_overrun();
  }

  void read_counters() {
    for (std::size_t i = 0; i < kCounters.size(); ++i)
      counters_.*kCounters[i] = counted_[i].load(std::memory_order_relaxed);
  }

  // ---- the thread's side ----
  bool turn() {
    starved_ = ring_.room() < kMostATurn;
    // Once more: the caller may have made room before it could see that some is wanted.
    if (starved_ && ring_.room() < kMostATurn) return false;
    starved_ = false;
    put_ = 0;
    reading_ = true;
    const bool more = listening_ && source_->poll_events(*this, kEventsATurn);
    gathers_ = put_ > 0;
    if (!more) reading_ = false;
    if (const int records = slice_; records > 0) {
      (void)source_->poll_dump(*this, records);
      slice_ = 0;
    }
    write_counters();
    if (put_ > 0) announce();
    return more;
  }

  KernelThread::Awaited awaited() const {
    if (!listening_ || starved_) return {};
    if (gathers_) return {-1, kGather};
    return {source_->event_fd(), std::nullopt};
  }

  // The caller may be asleep. Only this side writes true, only the other false, each after it wrote
  // or read the descriptor: so that is readable whenever this is true. What was put before it was
  // found true is found by the other side after it wrote false.
  void announce() {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (announced_) return;
    ::eventfd_write(news_.get(), 1);
    announced_ = true;
  }

  void write_counters() {
    const SourceCounters& now = source_->counters();
    for (std::size_t i = 0; i < kCounters.size(); ++i)
      counted_[i].store(now.*kCounters[i], std::memory_order_relaxed);
  }

  template <typename Fill>
  void put(Told::What what, std::uint32_t under, Fill&& fill) {
    ++put_;
    ring_.put([&](Told& told) {
      told.what = what;
      told.under = under;
      fill(told);
    });
  }
  void on_upsert(const Session& session) override {
    put(Told::What::upsert, subscription_, [&](Told& told) { told.session = session; });
  }
  void on_begin(const Session& session) override {
    put(Told::What::begin, subscription_, [&](Told& told) { told.session = session; });
  }
  void on_destroy(const SessionKey& key) override {
    put(Told::What::destroy, subscription_, [&](Told& told) { told.session.key = key; });
  }
  void on_expectation(const SessionKey& master, const Expectation& expectation,
                      bool gone) override {
    put(Told::What::expectation, subscription_, [&](Told& told) {
      told.session.key = master;
      told.expectation = expectation;
      told.flag = gone;
    });
  }
  void on_dump_entry(const Session& session) override {
    put(Told::What::dump_entry, dump_, [&](Told& told) { told.session = session; });
  }
  void on_dump_done(bool complete) override {
    put(Told::What::dump_done, dump_, [&](Told& told) { told.flag = complete; });
  }
  void on_overrun() override {
    overrun_ = true;
    ++put_;
  }

  static constexpr std::array kCounters = {&SourceCounters::events,    &SourceCounters::overruns,
                                           &SourceCounters::malformed, &SourceCounters::unsupported,
                                           &SourceCounters::dumped,    &SourceCounters::dumps};
  static_assert(sizeof(SourceCounters) == kCounters.size() * sizeof(std::uint64_t));

  std::unique_ptr<Source> source_;  // the thread's, but for what never changes
  sys::FileDescriptor news_;
  SpscRing<Told> ring_;
  // Changed by jobs, for which the caller waits, and so read by both sides.
  std::uint32_t subscription_ = 0, dump_ = 0;
  bool listening_ = false;
  // The caller's.
  bool dumping_ = false;
  SourceCounters counters_;
  // The thread's.
  std::size_t put_ = 0;
  bool gathers_ = false;
  // Of both.
  std::atomic<int> slice_{0};           // records of the dump that the caller asked for
  std::atomic<bool> reading_{false};    // more events may wait than are in the ring
  std::atomic<bool> starved_{false};    // the thread waits for room
  std::atomic<bool> announced_{false};  // news_ is readable
  std::atomic<bool> overrun_{false};
  std::array<std::atomic<std::uint64_t>, kCounters.size()> counted_{};
  KernelThread thread_;  // last: it uses all of the above
};

}  // namespace

std::unique_ptr<Source> in_a_thread(std::unique_ptr<Source> source, std::optional<unsigned> cpu,
                                    Status& on_its_cpu) {
  return std::make_unique<SourceInAThread>(std::move(source), cpu, on_its_cpu);
}

}  // namespace hotpair::conntrack
