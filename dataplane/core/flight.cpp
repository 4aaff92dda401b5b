#include "dataplane/core/flight.hpp"

#include <algorithm>

#include "platform/base/assert.hpp"

namespace hotpair::dataplane {

Flight::Flight()
    : records_(std::make_unique_for_overwrite<FlightRecord[]>(std::size_t{kWindowFrames} *
                                                              kMaxRecordsPerFrame)) {
  for (std::size_t i = 0; i < kWindowFrames; ++i)
    free_[kWindowFrames - 1 - i] = &records_[i * kMaxRecordsPerFrame];
}

void Flight::forget() {
  let_go();
  for (std::uint64_t s = oldest_; s < next_; ++s) {
    FlightFrame& f = frame(s);
    if (f.state == FlightFrame::State::flying) give_back(f);
    f.state = FlightFrame::State::none;
  }
  oldest_ = next_;
  flying_ = 0;
  records_flying_ = 0;
  window_ = kFirstWindow;
  window_cut_at_ = next_;
  credit_ = kWindowFrames;
  smoothed_ = variation_ = Duration{};
  timeout_ = kFirstTimeout;
}

bool Flight::may_send() const {
  const std::uint32_t allowed =
      std::min<std::uint32_t>(static_cast<std::uint32_t>(window_), credit_);
  return flying_ < allowed && next_ - oldest_ < kWindowFrames;
}

const FlightFrame* Flight::oldest_frame() const {
  return empty() ? nullptr : &frame(oldest_);
}

FlightFrame& Flight::prepare() {
  FlightFrame& f = frame(next_);
  HOTPAIR_ASSERT(f.state != FlightFrame::State::flying);
  // It may have room: of one that was prepared and dropped, or of a frame kWindowFrames ago that
  // was kept. Each frame has room of one at most, so there is always some.
  if (f.records == nullptr) f.records = free_[--free_count_];
  f.sequence = next_;
  f.count = 0;
  f.updates_only = true;
  f.state = FlightFrame::State::none;
  return f;
}

void Flight::launch(Instant now) {
  FlightFrame& f = frame(next_++);
  f.sent_at = now;
  f.state = FlightFrame::State::flying;
  ++flying_;
  records_flying_ += f.count;
}

const FlightFrame* Flight::remembered(std::uint64_t sequence) const {
  if (sequence >= next_ || next_ - sequence > kWindowFrames) return nullptr;
  const FlightFrame& f = frame(sequence);
  return f.sequence == sequence ? &f : nullptr;
}

std::optional<Instant> Flight::deadline() const {
  if (empty()) return std::nullopt;
  return frame(oldest_).sent_at + timeout_;
}

// RFC 6298's estimator, with a floor that a LAN's scheduling noise does not reach.
void Flight::sample(Duration round_trip) {
  const Duration measured = std::max(round_trip, Duration{0});
  if (smoothed_ == Duration{0}) {
    smoothed_ = measured;
    variation_ = measured / 2;
  } else {
    variation_ = (3 * variation_ + std::chrono::abs(smoothed_ - measured)) / 4;
    smoothed_ = (7 * smoothed_ + measured) / 8;
  }
  timeout_ = std::clamp(smoothed_ + 4 * variation_, kLeastTimeout, kMostTimeout);
}

// Once for all losses of the frames that were under way together.
void Flight::shrink_window(std::uint64_t lost_sequence, double factor) {
  if (lost_sequence < window_cut_at_) return;
  window_cut_at_ = next_;
  window_ = std::max(kLeastWindow, window_ * factor);
}

void Flight::keep() {
  let_go();
  kept_from_ = oldest_;
  kept_to_ = next_;
}

void Flight::let_go() {
  for (std::uint64_t s = kept_from_; s < kept_to_; ++s) {
    FlightFrame& f = frame(s);
    if (f.sequence == s && f.state != FlightFrame::State::flying && f.records != nullptr)
      give_back(f);
  }
  kept_from_ = kept_to_ = 0;
}

void Flight::give_back(FlightFrame& f) {
  free_[free_count_++] = f.records;
  f.records = nullptr;
}

void Flight::note_settled(FlightFrame& f, FlightFrame::State state) {
  f.state = state;
  --flying_;
  records_flying_ -= f.count;
  if (state == FlightFrame::State::received) {
    // Doubling a round trip at first, one frame a round trip after the first loss.
    window_ += window_cut_at_ <= 1 ? 1.0 : 1.0 / window_;
    window_ = std::min(window_, static_cast<double>(kWindowFrames));
  }
}

bool Flight::overdue(const FlightFrame& f, std::uint64_t newest, Instant now) const {
  return newest - f.sequence >= kReordering || now - f.sent_at > smoothed_ * 2 + 1ms;
}

}  // namespace hotpair::dataplane
