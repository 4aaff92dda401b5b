#include "dataplane/dpdk/replica.hpp"

#include <algorithm>
#include <utility>

#include "platform/linux/clock.hpp"

namespace hotpair::dpdk {

namespace {

// A frame full of new sessions takes the backup's kernel some 100 us.
constexpr std::size_t kBurstsATurn = 1;
constexpr std::size_t kFramesSentATurn = 32;
// At a takeover: what waits on the port, no longer than this.
constexpr std::size_t kBurstsAtTakeover = 64;
constexpr Duration kTakeoverReceiveTime = 1ms;
// What the peer may have under way: well below a device's receive ring, and no more than a
// heartbeat that is relayed behind it can wait for.
constexpr std::uint16_t kReceiveCredit = 128;

Effort most(Effort a, Effort b) {
  return std::max(a, b);
}

}  // namespace

Replica::Replica(ReplicaParts parts, Counters& counters, const Log& log, RelayHandler on_relay)
    : counters_(counters),
      ports_(std::move(parts.ports)),
      source_(std::move(parts.source)),
      sink_(std::move(parts.sink)),
      frames_(parts.identity, counters),
      writer_(*sink_, counters, log),
      engine_(parts.engine, writer_, sys::now()),
      reader_(*source_, engine_, counters, log),
      leftovers_(*source_, *sink_, engine_, log),
      on_relay_(std::move(on_relay)),
      scratch_(ports_ ? Port::kMostFrame : 0),
      last_look_(sys::now()) {
  writer_.attach(engine_);
  leftovers_.set_pickup(parts.engine.pickup);
  reader_.set_pickup(parts.engine.pickup);
  engine_.set_receive_credit(kReceiveCredit);
}

Effort Replica::turn(Instant now) {
  Effort effort = receive(now, kBurstsATurn);
  if (reader_.poll(now)) effort = Effort::saturated;
  engine_.work(now);
  writer_.flush();
  // A timeout is handed back only to a session whose last event is known: the kernel may have begun
  // to count a shorter one down.
  if (reader_.caught_up() && writer_.work(now)) effort = most(effort, Effort::some);
  if (engine_.role() == dataplane::Role::backup) leftovers_.work(in_sync(now), now);
  if (ports_) ports_->say_hellos(frames_, now);
  return most(effort, transmit(now));
}

void Replica::watch_ports(Instant now) {
  if (ports_) ports_->watch(now);
}

void Replica::set_keys(const dataplane::control::SetKeys& keys) {
  frames_.set_keys(keys);
  const bool no_peer = std::all_of(keys.rx_key.begin(), keys.rx_key.end(),
                                   [](std::uint8_t byte) { return byte == 0; });
  if (no_peer) forget_peer_mac();
}

void Replica::forget_peer_mac() {
  if (ports_) ports_->forget_peer();
}

void Replica::set_pickup(const dataplane::PickupOptions& options) {
  reader_.set_pickup(options);
  engine_.set_pickup(options);
  leftovers_.set_pickup(options);
}

Effort Replica::receive(Instant now, std::size_t max_bursts) {
  if (!ports_) return Effort::none;
  bool replicated = false;
  for (std::size_t burst = 0; burst < max_bursts; ++burst) {
    const std::size_t got = ports_->receive(
        [&](std::size_t port, Bytes frame) { replicated |= take_frame(port, frame, now); });
    if (got < Port::kBurst) {
      last_look_ = now;
      return replicated ? Effort::some : Effort::none;
    }
  }
  return Effort::saturated;
}

bool Replica::take_frame(std::size_t port, Bytes frame, Instant now) {
  const FrameIo::Opened opened = frames_.open(frame, scratch_, ports_->wire(port));
  switch (opened.kind) {
    case FrameIo::Kind::nothing:
      return false;
    case FrameIo::Kind::replication:
      engine_.on_frame(opened.content, now);
      return true;
    case FrameIo::Kind::hello:
      ports_->on_hello(port, opened.content, frame.size(), now);
      return false;
    case FrameIo::Kind::relayed:
      // The port tells no receive time. The last look is never too late: no peer is thought alive
      // for longer than it is.
      on_relay_(last_look_, opened.content);
      return false;
  }
  return false;
}

Effort Replica::transmit(Instant now) {
  if (!ports_ || !frames_.can_send()) return Effort::none;
  std::size_t sent = 0;
  for (; sent < kFramesSentATurn; ++sent) {
    const MutableBytes frame = ports_->begin_frame(now);
    if (frame.empty()) break;
    const std::size_t body =
        engine_.next_frame(now, frame.subspan(kBodyOffset, frame.size() - kFrameOverhead));
    ports_->commit(
        body == 0 ? 0
                  : frames_.seal(FrameIo::Kind::replication, frame, body, ports_->chosen_wire()));
    if (body == 0) break;
  }
  ports_->flush();
  if (sent == 0) return Effort::none;
  return sent == kFramesSentATurn ? Effort::saturated : Effort::some;
}

std::optional<Instant> Replica::next_deadline(Instant now) const {
  std::optional<Instant> next = reader_.next_deadline();
  if (const auto slice = leftovers_.next_deadline()) next = next ? std::min(*next, *slice) : *slice;
  // Without a port or keys no frame can leave, whenever it is due.
  if (ports_ && frames_.can_send()) {
    const Instant hello = ports_->next_hello(now);
    if (!next || hello < *next) next = hello;
    const std::optional<Instant> engine = engine_.next_deadline(now);
    if (engine && (!next || *engine < *next)) next = engine;
  }
  return next;
}

Status Replica::set_role(dataplane::Role role, std::uint64_t epoch, Instant now) {
  if (role == engine_.role() && epoch == engine_.status(now).epoch) return Ok{};
  leftovers_.end_term();
  Status outcome = Ok{};
  if (role == dataplane::Role::primary) {
    // Every change that reached this node before it becomes primary is in its kernel.
    const Instant stop = now + kTakeoverReceiveTime;
    for (std::size_t i = 0; i < kBurstsAtTakeover && sys::now() < stop; ++i)
      if (receive(now, 1) != Effort::saturated) break;
    writer_.flush();
    const bool known = engine_.role() == dataplane::Role::backup &&
                       (reader_.compared() || engine_.status(now).sessions > 0);
    outcome = reader_.subscribe(now, known);
  } else {
    reader_.unsubscribe();
  }
  writer_.drop_repeats();
  engine_.set_role(role, epoch, now);
  if (role == dataplane::Role::backup) leftovers_.begin_term();
  return outcome;
}

void Replica::send_relay(Bytes content) {
  const std::size_t carried = ports_ ? ports_->relay(frames_, content) : 0;
  ++(carried == 0 ? counters_.relay_refused : counters_.relayed_out);
}

bool Replica::in_sync(Instant now) const {
  if (!engine_.status(now).in_sync) return false;
  if (engine_.role() != dataplane::Role::backup) return true;
  return writer_.complete(now) && engine_.renewal() != dataplane::Renewal::rewrite;
}

void Replica::stop() {
  reader_.unsubscribe();
  writer_.flush();
}

}  // namespace hotpair::dpdk
