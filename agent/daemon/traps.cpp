#include "agent/daemon/traps.hpp"

#include "platform/linux/clock.hpp"

namespace hotpair::daemon {
namespace {

constexpr const char* kOwnEvent = "trap-failed";  // is no trap: it would fail the same way

LogLevel level_of(config::SnmpTrap::Level level) {
  switch (level) {
    case config::SnmpTrap::Level::notice:
      return LogLevel::notice;
    case config::SnmpTrap::Level::warning:
      return LogLevel::warning;
    case config::SnmpTrap::Level::error:
      break;
  }
  return LogLevel::error;
}

}  // namespace

// Everything here is called in the thread.
class Traps::Sender {
 public:
  explicit Sender(Traps& traps) : traps_(traps), runner_(traps.thread_->loop()) {}

  void configure(const config::SnmpTrap& trap, const TrapSource& source) {
    trap_ = trap;
    source_ = source;
  }

  void tell(const EventEntry& event, const LogRecord& record) {
    if (!limit_.admit(record.event, sys::now())) {
      ++traps_.counters_.held_back;
      return;
    }
    for (const std::string& receiver : trap_.receivers) {
      if (waiting_.size() >= kMostWaiting) {
        ++traps_.counters_.held_back;
        continue;
      }
      waiting_.push_back(trap_words(trap_, receiver, source_, event, record));
    }
    start_next();
  }

 private:
  void start_next() {
    if (running_ || waiting_.empty()) return;
    running_ = true;
    sys::ProcessRequest request;
    request.argv = std::move(waiting_.front());
    request.timeout = traps_.timeout_;
    waiting_.pop_front();
    runner_.run(std::move(request), [this](const sys::ProcessOutcome& outcome) {
      running_ = false;
      done(outcome);
      start_next();
    });
  }

  void done(const sys::ProcessOutcome& outcome) {
    const bool failed = !outcome.ok();
    ++(failed ? traps_.counters_.failed : traps_.counters_.sent);
    const bool before = traps_.failing_.exchange(failed);
    if (failed && !before)
      traps_.log_.warning("trap-failed", "an SNMP trap was not sent: " + outcome.error,
                          {{"output", outcome.output.substr(0, 500)}});
  }

  Traps& traps_;
  sys::ProcessRunner runner_;
  sys::LogRateLimit limit_{kBurst, kRefill};
  config::SnmpTrap trap_;
  TrapSource source_;
  std::deque<std::vector<std::string>> waiting_;
  bool running_ = false;
};

Traps::Traps(std::shared_ptr<EventFeed> feed, Log log, Duration timeout)
    : feed_(std::move(feed)), log_(std::move(log)), timeout_(timeout) {}

Traps::~Traps() {
  feed_->follow({});
  if (!thread_) return;
  thread_->post([this] { sender_.reset(); });  // it belongs to the thread's loop
  thread_->end();
}

void Traps::start() {
  auto thread = sys::LoopThread::start("traps");
  if (!thread) return log_.warning("trap-failed", thread.error().message);
  thread_ = std::move(thread).value();
  thread_->post([this] { sender_ = std::make_unique<Sender>(*this); });
}

void Traps::configure(const config::Config& config, const NodePlan&) {
  const auto& trap = config.cluster.events.snmp_trap;
  wanted_ = trap.has_value();
  if (!wanted_) return feed_->follow({});
  if (!thread_) start();
  if (!thread_) return;
  const TrapSource source{config.node.hostname, config.node.chassis_id, config.cluster.group_id};
  thread_->post([this, trap = *trap, source] { sender_->configure(trap, source); });
  feed_->follow([this, least = level_of(trap->level)](const LogRecord& record) {
    const EventEntry* event = record.level < least ? nullptr : find_event(record.event);
    if (event == nullptr || event->name == kOwnEvent) return;
    thread_->post([this, event, record] { sender_->tell(*event, record); });
  });
}

void Traps::add_status(nlohmann::json& status) const {
  if (!wanted_) return;
  status["snmp_trap"] = {{"sent", counters_.sent.load()},
                         {"failed", counters_.failed.load()},
                         {"held_back", counters_.held_back.load()}};
}

std::vector<std::string> Traps::warnings() const {
  if (!wanted_ || !failing_) return {};
  return {"SNMP traps are not sent: 'journalctl -u hotpaird HOTPAIR_EVENT=trap-failed' says why"};
}

}  // namespace hotpair::daemon
