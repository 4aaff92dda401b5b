#include "tools/bench/sync/primary_end.hpp"

#include <algorithm>

#include "platform/linux/clock.hpp"
#include "platform/linux/huge_pages.hpp"
#include "tools/bench/sync/engine_config.hpp"

namespace hotpair::bench::sync {

namespace {

constexpr std::size_t kBatch = 256;
constexpr std::size_t kFramesATurn = 32;
// More is not fed while so much waits to be sent: a kernel's events would wait in their socket.
constexpr std::uint64_t kMostLag = 16'384;
constexpr std::uint32_t kDeltasAProbe = 1024;
constexpr Duration kSampleEvery = 50ms;
constexpr Duration kConnectTime = 5s;

}  // namespace

PrimaryEnd::PrimaryEnd(const Options& options, FrameLink& link, const dpdk::Mac& mac)
    : options_(options),
      load_(options),
      rng_(options.seed),
      envelope_(link, options.sealed, true, mac),
      engine_(engine_config(options, 0), sink_, sys::now()) {
  engine_.set_role(dataplane::Role::primary, 1, sys::now());
  batch_.reserve(2 * kBatch);
  wholes_.reserve(2 * kBatch);
  live_.reserve(options.sessions + options.sessions / 8);
  // Drawing sessions at random must not push the table's pages out of the translation caches: a
  // kernel that reports sessions has caches of its own.
  sys::prefer_huge_pages(live_.data(), live_.capacity() * sizeof(live_[0]));
}

void PrimaryEnd::receive(Instant now) {
  for (;;) {
    const std::span<const Bytes> burst = envelope_.link().receive();
    for (const Bytes frame : burst) {
      clock_.start();
      const Bytes body = envelope_.open(frame);
      clock_.stop(Stage::open);
      if (!body.empty()) engine_.on_frame(body, now);
      clock_.stop(Stage::answer);
    }
    envelope_.link().release();
    if (burst.size() < 4) return;
  }
}

void PrimaryEnd::transmit(Instant now) {
  bool sent = false;
  clock_.start();
  for (std::size_t i = 0; i < kFramesATurn; ++i) {
    const MutableBytes body = envelope_.begin();
    if (body.empty()) break;
    const std::size_t size = engine_.next_frame(now, body);
    if (size == 0) {
      envelope_.give_up();
      break;
    }
    clock_.stop(Stage::encode);
    const std::size_t frame = envelope_.end(size);
    clock_.stop(Stage::seal);
    sent = true;
    if (phase_ == nullptr) continue;
    ++phase_->frames;
    phase_->wire_bytes += frame;
    phase_->body_bytes += size;
  }
  if (sent) clock_.start();
  envelope_.link().flush();
  if (sent) clock_.stop(Stage::other);
}

bool PrimaryEnd::turn(Instant now) {
  receive(now);
  engine_.work(now);
  transmit(now);
  return now - began_ < options_.most_time;
}

bool PrimaryEnd::connect(Instant until) {
  for (Instant now = sys::now(); now < until; now = sys::now()) {
    turn(now);
    if (engine_.status(now).in_sync) return true;
  }
  return false;
}

std::uint64_t PrimaryEnd::total_of(const std::string& phase) const {
  if (phase == "create")
    return options_.sessions - std::min<std::uint64_t>(live_.size(), options_.sessions);
  if (phase == "delete") return live_.size();
  return live_.empty() ? 0 : options_.deltas_of_a_phase();
}

void PrimaryEnd::add(std::uint32_t number, std::uint32_t version) {
  batch_.emplace_back();
  if (load_.plain(number)) return load_.write(number, version, batch_.back().compact);
  wholes_.push_back(load_.session(number, version));
  batch_.back() = dataplane::SessionView(wholes_.back());
}

void PrimaryEnd::remove_live(std::size_t place) {
  ends_.push_back(load_.key(live_[place].number));
  live_[place] = live_.back();
  live_.pop_back();
}

// Which sessions come next. What is known of them is fetched meanwhile, so that the load takes less
// time than what is measured.
void PrimaryEnd::draw(const std::string& phase, std::size_t count) {
  drawn_.resize(count);
  if (phase == "create") return;
  for (Drawn& drawn : drawn_) {
    drawn = {
        .place = static_cast<std::uint32_t>(rng_.below(std::max<std::size_t>(live_.size(), 1))),
        .percent = static_cast<std::uint8_t>(phase == "mix" ? rng_.below(100) : 0)};
    __builtin_prefetch(live_.data() + drawn.place);
  }
}

void PrimaryEnd::one(const std::string& phase, Drawn drawn) {
  const bool mix = phase == "mix";
  const bool creates = phase == "create" || (mix && drawn.percent < options_.mix.creates);
  const bool deletes = phase == "delete" || (mix && drawn.percent >= 100 - options_.mix.deletes);
  if (creates || live_.empty()) {
    live_.push_back({.number = next_number_++, .version = 0});
    return add(live_.back().number, 0);
  }
  const std::size_t place = std::min<std::size_t>(drawn.place, live_.size() - 1);
  if (deletes) return remove_live(place);
  Living& living = live_[place];
  add(living.number, ++living.version);
}

void PrimaryEnd::flush_batch(Instant now) {
  engine_.upsert(batch_, now);
  engine_.destroy(ends_, now);
  batch_.clear();
  wholes_.clear();
  ends_.clear();
}

void PrimaryEnd::feed(const std::string& phase, std::uint64_t count, Instant now) {
  clock_.start();
  draw(phase, count);
  for (const Drawn drawn : drawn_) {
    if (fed_in_all_++ % kDeltasAProbe == 0) {
      wholes_.push_back(Load::probe(probes_++, sys::now()));
      batch_.emplace_back(wholes_.back());
    }
    one(phase, drawn);
  }
  clock_.stop(Stage::load);
  flush_batch(now);
  clock_.stop(Stage::table);
}

void PrimaryEnd::sample(Instant now) {
  if (now - sampled_at_ < kSampleEvery) return;
  const double seconds = to_seconds(now - sampled_at_);
  series_->push_back({.at = now - began_,
                      .deltas_per_s = static_cast<double>(fed_in_all_ - sampled_fed_) / seconds,
                      .lag_sessions = engine_.status(now).lag_sessions,
                      .p50 = {},
                      .p99 = {}});
  sampled_at_ = now;
  sampled_fed_ = fed_in_all_;
}

bool PrimaryEnd::run_phase(const std::string& name, PhaseTimes& phase, const Watcher& watcher) {
  const std::uint64_t total = total_of(name);
  const Instant begins = sys::now();
  phase.name = name;
  phase.deltas = total;
  phase.began_at = begins - began_;
  phase_ = &phase;
  clock_.into(phase.sender);
  watcher.phase_begins();
  for (std::uint64_t fed = 0;;) {
    const Instant now = sys::now();
    if (!turn(now)) return false;
    const std::uint64_t allowed = allowed_by(now - begins, total);
    if (fed < allowed && engine_.status(now).lag_sessions < kMostLag) {
      const std::uint64_t count = std::min<std::uint64_t>(kBatch, allowed - fed);
      feed(name, count, now);
      fed += count;
    }
    sample(now);
    if (fed == total && engine_.drained(now, now)) break;
    watcher.progress(name, static_cast<double>(fed) / static_cast<double>(total));
  }
  phase.took = sys::now() - begins;
  clock_.into(idle_);
  phase_ = nullptr;
  return true;
}

std::uint64_t PrimaryEnd::allowed_by(Duration time, std::uint64_t total) const {
  if (options_.rate == 0) return total;
  return std::min(
      total, static_cast<std::uint64_t>(to_seconds(time) * static_cast<double>(options_.rate)));
}

bool PrimaryEnd::proven(Instant until) {
  const std::uint32_t round = engine_.status(sys::now()).verify.round;
  engine_.request_verify();
  for (Instant now = sys::now(); now < until; now = sys::now()) {
    turn(now);
    const dataplane::EngineStatus status = engine_.status(now);
    if (status.in_sync && status.verify.round > round && status.verify.different == 0) return true;
  }
  return false;
}

std::string PrimaryEnd::run(Instant began, Outcome& result, const Watcher& watcher) {
  began_ = sampled_at_ = began;
  series_ = &result.sender_series;
  if (!connect(sys::now() + kConnectTime)) return "the other end does not answer";
  for (std::size_t at = 0; at < options_.phases.size();) {
    const std::size_t end = std::min(options_.phases.find(',', at), options_.phases.size());
    const std::string name = options_.phases.substr(at, end - at);
    at = end + 1;
    if (total_of(name) == 0) continue;
    result.phases.emplace_back();
    if (!run_phase(name, result.phases.back(), watcher))
      return "phase " + name + " did not end within the time allowed (--most-seconds)";
    if (engine_.table().size() <= result.most_sessions) continue;
    result.most_sessions = engine_.table().size();
    result.bytes_a_session_primary =
        static_cast<double>(engine_.memory()) / static_cast<double>(result.most_sessions);
  }
  result.equal = proven(sys::now() + kConnectTime);
  result.frames_lost = engine_.counters().frames_lost;
  return result.equal ? "" : "the digests of the two tables did not become equal";
}

}  // namespace hotpair::bench::sync
