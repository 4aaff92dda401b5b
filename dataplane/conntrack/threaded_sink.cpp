#include "dataplane/conntrack/threaded_sink.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <optional>
#include <utility>

#include "dataplane/conntrack/kernel_thread.hpp"
#include "platform/base/spsc_ring.hpp"

namespace hotpair::conntrack {

namespace {

using dataplane::HelperName;
using dataplane::Session;
using dataplane::SessionKey;

constexpr std::size_t kOrders = 1024;
// An operation leads to at most one answer to the caller.
constexpr std::size_t kAnswers = 2 * kOrders;
// So many operations are handed over before the thread is told of them: it writes 64 at a time.
constexpr std::size_t kTellEach = 32;
// A caller looks that often for the end of a flush before it sleeps: as long as the thread takes
// for a few operations. To sleep costs less than to look on while a whole batch is written.
constexpr int kLooks = 200;

struct Order {
  std::optional<Sink::What> what;  // none: flush
  std::uint32_t timeout_s = 0;
  Session session;
};

struct Answer {
  enum class What : std::uint8_t { missing, refused, helper_missing };
  What what = What::missing;
  int error = 0;
  SessionKey key;
  HelperName helper;
};

void pause() {
#ifdef __x86_64__
  __builtin_ia32_pause();
#endif
}

class SinkInAThread final : public Sink {
 public:
  SinkInAThread(std::unique_ptr<Sink> sink, std::optional<unsigned> cpu, Status& on_its_cpu)
      : sink_(std::move(sink)),
        orders_(kOrders),
        answers_(kAnswers),
        thread_("conntrack-write", {.turn = [this] { return turn(); }}, cpu, on_its_cpu) {
    thread_.run([this] { listen(); });
  }

  // What is under way fits the ring of answers too, and no answer is ever lost for want of room.
  void order(What what, const Session& session, std::uint32_t timeout_s) override {
    if (ordered_ == kOrders - 1) flush();
    put(what, session, timeout_s);
    if (++ordered_ % kTellEach == 0) thread_.wake();
  }

  void flush() override {
    if (ordered_ == 0) return;
    put(std::nullopt, {}, 0);
    thread_.wake();
    await_flush();
    ordered_ = 0;
    tell_answers();
    counters_ = sink_->counters();  // the thread does nothing until the next order
  }

 private:
  // ---- the caller's side ----
  void put(std::optional<What> what, const Session& session, std::uint32_t timeout_s) {
    orders_.put([&](Order& order) {
      order.what = what;
      order.timeout_s = timeout_s;
      order.session = session;
    });
  }

  void await_flush() {
    const std::uint32_t wanted = ++flushes_;
    for (int looks = 0; looks < kLooks && flushed_ != wanted; ++looks) pause();
    for (std::uint32_t seen = flushed_; seen != wanted; seen = flushed_) flushed_.wait(seen);
  }

  void tell_answers() {
    for (Answer* answer = answers_.front(); answer != nullptr; answer = answers_.front()) {
      tell(*answer);
      answers_.drop();
    }
  }

  void tell(const Answer& answer) const {
    switch (answer.what) {
      case Answer::What::missing:
        if (missing_) missing_(answer.key);
        return;
      case Answer::What::refused:
        if (refused_) refused_(answer.key, answer.error);
        return;
      case Answer::What::helper_missing:
        if (helper_missing_) helper_missing_(answer.helper.text());
        return;
    }
  }

  // ---- the thread's side ----
  void listen() {
    sink_->on_missing([this](const SessionKey& key) {
      answers_.put([&](Answer& out) { out = {Answer::What::missing, 0, key, {}}; });
    });
    sink_->on_refused([this](const SessionKey& key, int error) {
      answers_.put([&](Answer& out) { out = {Answer::What::refused, error, key, {}}; });
    });
    sink_->on_helper_missing([this](std::string_view helper) {
      answers_.put([&](Answer& out) {
        out = {Answer::What::helper_missing, 0, {}, {}};
        (void)out.helper.assign(helper);
      });
    });
  }

  bool turn() {
    Order* const order = orders_.front();
    if (order == nullptr) return false;
    const bool flushed = !order->what;
    if (flushed)
      sink_->flush();
    else
      sink_->order(*order->what, order->session, order->timeout_s);
    order->session.state.extras = {};
    orders_.drop();
    if (flushed) {
      ++flushed_;
      flushed_.notify_one();
    }
    return true;
  }

  std::unique_ptr<Sink> sink_;  // the thread's, but between a flush and the next order
  SpscRing<Order> orders_;
  SpscRing<Answer> answers_;
  // The caller's.
  std::size_t ordered_ = 0;  // since the last flush
  std::uint32_t flushes_ = 0;
  std::atomic<std::uint32_t> flushed_{0};
  KernelThread thread_;  // last: it uses all of the above
};

}  // namespace

std::unique_ptr<Sink> in_a_thread(std::unique_ptr<Sink> sink, std::optional<unsigned> cpu,
                                  Status& on_its_cpu) {
  return std::make_unique<SinkInAThread>(std::move(sink), cpu, on_its_cpu);
}

}  // namespace hotpair::conntrack
