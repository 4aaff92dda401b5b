// The primary's frames under way: what each said, so that a lost one's sessions can be sent again;
// how many may be under way (loss, the backup's credit); when silence means loss. A ring of
// kWindowFrames frames of at most kMaxRecordsPerFrame records, allocated once (4 MiB). What a
// settled frame said is written over by the next one: so only as much is touched as was ever under
// way at once, and it stays in a near cache.
//
// Nothing is sent twice as it was: a lost frame's sessions are sent anew, in a later frame, in the
// state they have by then. So a frame is settled once: received, or given up.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "dataplane/core/coarse_time.hpp"
#include "dataplane/core/delta_wire.hpp"
#include "platform/base/time.hpp"

namespace hotpair::dataplane {

struct FlightRecord {  // without initial values: see Flight::records_
  std::uint32_t id;
  std::uint16_t bucket;
  RecordKind kind;
};

struct FlightFrame {
  enum class State : std::uint8_t { none, flying, received, lost };
  std::uint64_t sequence = 0;
  Instant sent_at;
  State state = State::none;
  std::uint16_t count = 0;
  std::uint32_t since = 0;    // CoarseTime of the oldest change it tells
  bool updates_only = false;  // its acknowledgement changes nothing in the slots
  // Room for kMaxRecordsPerFrame; null once it is settled, unless it was kept.
  FlightRecord* records = nullptr;

  FlightRecord& add(FlightRecord record, std::uint32_t changed_at) {
    since = count == 0 ? changed_at : older(since, changed_at);
    updates_only = updates_only && record.kind == RecordKind::update;
    return records[count++] = record;
  }
  // So many were written behind the others: the first of them changed at that time.
  void added(std::size_t more, std::uint32_t changed_at, bool updates) {
    since = count == 0 ? changed_at : older(since, changed_at);
    updates_only = updates_only && updates;
    count = static_cast<std::uint16_t>(count + more);
  }
};

class Flight {
 public:
  Flight();

  void forget();  // a new stream: what flies is of no interest any more; numbers go on
  bool may_send() const;
  bool empty() const { return flying_ == 0; }
  std::uint32_t flying() const { return flying_; }
  std::uint64_t records_flying() const { return records_flying_; }
  std::uint64_t next_sequence() const { return next_; }
  std::uint64_t oldest() const {
    return oldest_;
  }                                         // the oldest not settled; next_sequence() when none
  const FlightFrame* oldest_frame() const;  // null when none flies
  Duration round_trip() const { return smoothed_; }
  std::uint16_t credit() const { return credit_; }

  FlightFrame& prepare();  // the frame next_sequence() will be; filled, then launched or dropped
  void launch(Instant now);
  // The frame of that number, as long as it is remembered.
  const FlightFrame* remembered(std::uint64_t sequence) const;
  // What the frames say that are under way now is kept when they are settled, until it is let go.
  void keep();
  void let_go();

  // Settles frames; calls received(frame) or lost(frame) for each. False: of frames never sent.
  template <typename OnReceived, typename OnLost>
  bool on_ack(const Ack& ack, bool newest_ack, Instant now, OnReceived&& received, OnLost&& lost);
  template <typename OnLost>
  void on_time(Instant now, OnLost&& lost);  // gives up what is overdue
  std::optional<Instant> deadline() const;

 private:
  static constexpr std::uint32_t kReordering = 8;  // frames that may overtake one that is not lost
  static constexpr double kFirstWindow = 32, kLeastWindow = 4;
  static constexpr Duration kLeastTimeout = 2ms, kFirstTimeout = 30ms, kMostTimeout = 400ms;

  FlightFrame& frame(std::uint64_t sequence) { return frames_[sequence % kWindowFrames]; }
  const FlightFrame& frame(std::uint64_t sequence) const {
    return frames_[sequence % kWindowFrames];
  }
  void sample(Duration round_trip);
  void shrink_window(std::uint64_t lost_sequence, double factor);
  template <typename Callback>
  void settle(FlightFrame& frame, FlightFrame::State state, Callback&& callback);
  void note_settled(FlightFrame& frame, FlightFrame::State state);
  void give_back(FlightFrame& frame);
  bool overdue(const FlightFrame& frame, std::uint64_t newest, Instant now) const;

  std::array<FlightFrame, kWindowFrames> frames_;
  std::unique_ptr<FlightRecord[]> records_;  // room for those of all frames
  // The rooms that are free: the last given back is the first to be used.
  std::array<FlightRecord*, kWindowFrames> free_;
  std::size_t free_count_ = kWindowFrames;
  std::uint64_t next_ = 1, oldest_ = 1;
  std::uint64_t kept_from_ = 0, kept_to_ = 0;
  std::uint32_t flying_ = 0;
  std::uint64_t records_flying_ = 0;
  double window_ = kFirstWindow;     // frames
  std::uint64_t window_cut_at_ = 0;  // losses of frames before this were answered already
  std::uint16_t credit_ = kWindowFrames;
  Duration smoothed_{}, variation_{};
  Duration timeout_ = kFirstTimeout;
};

template <typename Callback>
void Flight::settle(FlightFrame& f, FlightFrame::State state, Callback&& callback) {
  note_settled(f, state);
  callback(f);
  if (f.sequence < kept_from_ || f.sequence >= kept_to_) give_back(f);
}

template <typename OnReceived, typename OnLost>
bool Flight::on_ack(const Ack& ack, bool newest_ack, Instant now, OnReceived&& received,
                    OnLost&& lost) {
  const std::uint64_t newest = ack.received.newest;
  if (newest >= next_) return false;
  if (newest_ack) credit_ = ack.credit;
  if (newest >= oldest_ && frame(newest).state == FlightFrame::State::flying)
    sample(now - frame(newest).sent_at - std::chrono::microseconds(ack.delay_us));
  for (std::uint64_t s = oldest_; s <= newest; ++s) {
    FlightFrame& f = frame(s);
    if (f.state != FlightFrame::State::flying) continue;
    if (ack.received.has(s)) {
      settle(f, FlightFrame::State::received, received);
    } else if (overdue(f, newest, now)) {
      shrink_window(s, 0.7);
      settle(f, FlightFrame::State::lost, lost);
    }
  }
  while (oldest_ < next_ && frame(oldest_).state != FlightFrame::State::flying) ++oldest_;
  return true;
}

template <typename OnLost>
void Flight::on_time(Instant now, OnLost&& lost) {
  const std::optional<Instant> due = deadline();
  if (!due || now < *due) return;
  for (std::uint64_t s = oldest_; s < next_; ++s) {
    FlightFrame& f = frame(s);
    if (f.state != FlightFrame::State::flying) continue;
    if (now - f.sent_at < timeout_) break;  // frames fly in the order of their numbers
    shrink_window(s, 0.5);
    settle(f, FlightFrame::State::lost, lost);
  }
  while (oldest_ < next_ && frame(oldest_).state != FlightFrame::State::flying) ++oldest_;
  timeout_ = std::min(timeout_ * 2, kMostTimeout);
}

}  // namespace hotpair::dataplane
