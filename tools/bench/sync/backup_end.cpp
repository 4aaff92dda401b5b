#include "tools/bench/sync/backup_end.hpp"

#include <algorithm>

#include "dataplane/core/compact_record.hpp"
#include "platform/linux/clock.hpp"
#include "tools/bench/sync/engine_config.hpp"

namespace hotpair::bench::sync {

namespace {

constexpr Duration kSampleEvery = 50ms;
constexpr Duration kSilence = 3s;
// Decoding is measured apart on every so manieth frame, because in the engine it is one with
// applying.
constexpr std::uint32_t kFramesADecoding = 32;
constexpr Duration kMostDecoding = 20us;  // of a frame; longer was interrupted

}  // namespace

BackupEnd::BackupEnd(const Options& options, FrameLink& link, const dpdk::Mac& mac)
    : end_at_(sys::now() + options.most_time),
      envelope_(link, options.sealed, false, mac),
      engine_(engine_config(options, 1), sink_, sys::now()) {
  engine_.set_role(dataplane::Role::backup, 1, sys::now());
  engine_.set_receive_credit(options.credit);
}

void BackupEnd::ProbeSink::on_upsert(const dataplane::SessionView& session, bool) {
  if (!Load::may_be_probe(session)) return;
  const dataplane::Session whole = dataplane::expanded(session);
  if (!Load::is_probe(whole.key)) return;
  const Duration age = Load::age_of_probe(whole, sys::now());
  end_.interval_.add(age);
  if (!end_.phases_.empty()) end_.phases_.back().latencies.add(age);
}

std::uint64_t BackupEnd::applied() const {
  const dataplane::Counters& c = engine_.counters();
  return c.creates_applied + c.updates_applied + c.deletes_applied;
}

Duration BackupEnd::decoding_time(Bytes body) {
  const Instant begin = sys::now();
  ByteReader in(body);
  const auto header = dataplane::decode_header(in);
  if (!header || header->kind != dataplane::FrameKind::data) return Duration{0};
  const std::size_t count = in.u16();
  dataplane::CompactRecord record;
  dataplane::Record whole;
  for (std::size_t i = 0; i < count; ++i) {
    const dataplane::Decoded decoded = dataplane::decode_compact(in, record);
    if (decoded == dataplane::Decoded::whole && !dataplane::decode_record(in, whole)) break;
  }
  return sys::now() - begin;
}

std::size_t BackupEnd::receive(Instant now) {
  const std::span<const Bytes> burst = envelope_.link().receive();
  for (const Bytes frame : burst) {
    clock_.start();
    const Bytes body = envelope_.open(frame);
    clock_.stop(Stage::open);
    if (body.empty()) continue;
    if (++frames_ % kFramesADecoding == 0) {
      const Duration decoding = std::min(decoding_time(body), kMostDecoding) * kFramesADecoding;
      clock_.add(Stage::decode, decoding);
      clock_.add(Stage::apply, -decoding);
      clock_.start();
    }
    engine_.on_frame(body, now);
    clock_.stop(Stage::apply);
  }
  envelope_.link().release();
  return burst.size();
}

void BackupEnd::transmit(Instant now) {
  clock_.start();
  for (int i = 0; i < 8; ++i) {
    const MutableBytes body = envelope_.begin();
    if (body.empty()) break;
    const std::size_t size = engine_.next_frame(now, body);
    envelope_.end(size);
    if (size == 0) break;
    clock_.stop(Stage::answer);
  }
  envelope_.link().flush();
}

void BackupEnd::look_up_phase() {
  if (phases_.size() == wanted_phase_.load(std::memory_order_relaxed)) return;
  if (!phases_.empty()) phases_.back().applied = applied() - applied_before_;
  applied_before_ = applied();
  phases_.emplace_back();
  clock_.into(phases_.back().stages);
}

void BackupEnd::sample(Instant now) {
  if (now - sampled_at_ < kSampleEvery) return;
  const std::uint64_t all = applied();
  series_.push_back(
      {.at = now - began_,
       .deltas_per_s = static_cast<double>(all - sampled_) / to_seconds(now - sampled_at_),
       .lag_sessions = 0,
       .p50 = interval_.percentile(50),
       .p99 = interval_.percentile(99)});
  interval_.clear();
  sampled_at_ = now;
  sampled_ = all;
  if (engine_.table().size() <= most_sessions_) return;
  most_sessions_ = engine_.table().size();
  bytes_a_session_ = static_cast<double>(engine_.memory()) / static_cast<double>(most_sessions_);
}

void BackupEnd::run(Instant began, const std::atomic<bool>* stop) {
  began_ = sampled_at_ = began;
  phases_.reserve(64);
  bool heard = false;
  for (Instant silent_since = sys::now();;) {
    const Instant now = sys::now();
    look_up_phase();
    if (receive(now) > 0) {
      silent_since = now;
      heard = true;
    }
    engine_.work(now);
    transmit(now);
    sample(now);
    const bool over = stop != nullptr ? stop->load() : heard && now - silent_since > kSilence;
    if (over || now > end_at_) break;
  }
  if (!phases_.empty()) phases_.back().applied = applied() - applied_before_;
}

}  // namespace hotpair::bench::sync
