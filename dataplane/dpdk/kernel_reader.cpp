#include "dataplane/dpdk/kernel_reader.hpp"

#include <algorithm>
#include <utility>

#include "platform/linux/clock.hpp"

namespace hotpair::dpdk {

namespace {

constexpr int kEventsAPoll = 512;
constexpr int kRecordsAPoll = 256;
// Between two slices of a dump that nobody waits for: about a tenth of the CPU.
constexpr Duration kRestInDump = 2ms;
// Events can be lost without a trace only by a fault elsewhere; a dump now and then finds out, and
// costs at most a fivethousandth of the CPU: the walk over a large hash delays packets on it.
constexpr Duration kReconcileEvery = 10min;
constexpr int kReconcileRest = 5000;
constexpr Duration kRestAfterTakeover = 60s;
// A slice that takes so long is a walk over empty buckets, which nothing can interrupt. What stands
// still for longer than that, with the agent on the same CPU, is taken to be dead by the peer: then
// the table is listed when there is a reason, or once a day.
constexpr Duration kHoldsUp = 10ms, kLooksDead = 30ms;
constexpr Duration kSeldom = 24h;
// After an overrun, or a dump that was interrupted: soon, but not in a circle.
constexpr Duration kRepairDelay = 1s;

bool is_loopback(const dataplane::SessionKey& key) {
  if (!key.ipv6) return key.original.src.bytes[0] == 127;
  constexpr dataplane::Address kLoopback = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  return key.original.src == kLoopback;
}

}  // namespace

KernelReader::KernelReader(conntrack::Source& source, dataplane::Engine& engine, Counters& counters,
                           Log log)
    : source_(source), engine_(engine), counters_(counters), log_(std::move(log)) {}

Status KernelReader::subscribe(Instant now, bool known) {
  if (subscribed_) return Ok{};
  if (Status joined = source_.subscribe(); !joined.ok()) return joined;
  subscribed_ = true;
  const Duration rest = held_up_ < kHoldsUp     ? kRestAfterTakeover
                        : held_up_ < kLooksDead ? kReconcileEvery
                                                : kSeldom;
  next_dump_ = no_dump_before_ = known ? now + rest : Instant{};
  hurried_ = !known;
  return Ok{};
}

void KernelReader::unsubscribe() {
  if (!subscribed_) return;
  subscribed_ = false;
  caught_up_ = true;
  source_.unsubscribe();
  source_.stop_dump();
}

void KernelReader::set_pickup(const dataplane::PickupOptions& options) {
  if (Status set = source_.set_pickup(options); !set.ok())
    log_.warning("conntrack-filter",
                 "what session_pickup leaves out is read all the same: " + set.error().message);
}

bool KernelReader::poll(Instant now) {
  if (!subscribed_) return false;
  now_ = now;
  const bool events_wait = source_.poll_events(*this, kEventsAPoll);
  caught_up_ = source_.caught_up();
  if (events_wait) return true;
  const bool due = now >= no_dump_before_ && (engine_.dump_wanted() || now >= next_dump_);
  if (!source_.dumping() && due) begin_dump();
  if (!source_.dumping() || now < next_slice_) return false;
  cpu_before_ = sys::cpu_time();
  const bool more = source_.poll_dump(*this, kRecordsAPoll);
  note_slice();
  if (hurried_) return more;
  next_slice_ = now + kRestInDump;
  return false;
}

void KernelReader::begin_dump() {
  if (Status started = source_.start_dump(); !started.ok()) {
    log_.warning("conntrack-dump", "the kernel's table cannot be read: " + started.error().message);
    next_dump_ = now_ + kRepairDelay;
    return;
  }
  dump_began_ = next_slice_ = now_;
  lost_in_dump_ = false;
  held_up_ = {};
  ++counters_.kernel_reconciled;
  engine_.begin_dump();
}

void KernelReader::note_slice() {
  held_up_ = std::max(held_up_, sys::cpu_time() - cpu_before_);
}

std::optional<Instant> KernelReader::next_deadline() const {
  if (!subscribed_) return std::nullopt;
  return source_.dumping() ? next_slice_ : next_dump_;
}

void KernelReader::on_upsert(const dataplane::Session& session) {
  if (!is_loopback(session.key)) engine_.upsert(session, now_);
}

void KernelReader::on_begin(const dataplane::Session& session) {
  if (!is_loopback(session.key)) engine_.begin(session, now_);
}

void KernelReader::on_destroy(const dataplane::SessionKey& key) {
  engine_.destroy(key, now_);
}

void KernelReader::on_expectation(const dataplane::SessionKey& master,
                                  const dataplane::Expectation& expectation, bool gone) {
  engine_.expectation(master, expectation, gone, now_);
}

void KernelReader::on_dump_entry(const dataplane::Session& session) {
  if (!is_loopback(session.key)) engine_.dump_entry(session, now_);
}

void KernelReader::on_dump_done(bool complete) {
  engine_.end_dump(complete);
  if (complete) {
    hurried_ = false;
    compared_ = true;
  }
  note_slice();
  const Duration took = sys::now() - dump_began_;
  const bool whole = complete && !lost_in_dump_;
  const Duration least = held_up_ < kLooksDead ? kReconcileEvery : kSeldom;
  next_dump_ = now_ + (whole ? std::max(least, took * kReconcileRest) : kRepairDelay);
}

void KernelReader::on_overrun() {
  next_dump_ = std::min(next_dump_, now_ + kRepairDelay);
  lost_in_dump_ = true;
  log_.warning(
      "conntrack-overrun",
      "conntrack events came faster than they were read, some were lost; the table is compared "
      "by a dump",
      {{"receive_buffer_bytes", source_.receive_buffer_bytes()}});
}

}  // namespace hotpair::dpdk
