// Which frames are accepted, and what is answered. Records: delta_receiver_apply.cpp.
#include "dataplane/core/delta_receiver.hpp"

#include <limits>

#include "platform/base/assert.hpp"

namespace hotpair::dataplane {
DeltaReceiver::DeltaReceiver(SessionTable& table, SessionSink& sink, Counters& counters)
    : table_(table), sink_(sink), counters_(counters) {
  wholes_.reserve(kMaxRecordsPerFrame);
}

void DeltaReceiver::start(std::uint64_t epoch, std::uint32_t instance) {
  HOTPAIR_ASSERT(instance != 0);
  epoch_ = epoch;
  instance_ = instance;
  // The sender is not retired: it may be the primary still, when nobody heard of our time as one.
  // What is under way from before names another instance as its receiver.
  sender_ = stream_ = 0;
  heard_ = peer_in_sync_ = hello_due_ = ack_now_ = sweeping_ = summary_due_ = false;
  unacknowledged_ = 0;
  report_next_ = kBuckets;
  window_.reset();
  offers_.clear();
  table_.begin_generation();
  recount();
}

void DeltaReceiver::set_credit(std::uint16_t frames) {
  const auto credit = std::min(frames, static_cast<std::uint16_t>(kWindowFrames));
  if (credit_ == 0 && credit > 0) ack_now_ = sender_ != 0;  // the primary waits to hear of it
  credit_ = credit;
}

bool DeltaReceiver::peer_heard(Instant now) const {
  return heard_ && now - heard_at_ <= kPeerSilence;
}

bool DeltaReceiver::accept(const FrameHeader& header, Instant now) {
  if (header.epoch < epoch_) {
    ++counters_.rejected_old_epoch;
    return false;
  }
  if (retired_senders_.has(header.sender)) {
    ++counters_.rejected_old_stream;
    return false;
  }
  epoch_ = header.epoch;
  heard_ = true;
  heard_at_ = now;
  if (header.receiver == instance_) return follow(header);
  // A probe, or for a run of this node that is over: the primary must learn who listens now.
  if (header.receiver != 0) ++counters_.rejected_not_ours;
  hello_to_ = header.sender;
  hello_due_ = true;
  return false;
}

// Streams of one sender are numbered; of two senders the one not yet retired is the newer.
bool DeltaReceiver::follow(const FrameHeader& header) {
  if (header.sender == sender_ && header.stream == stream_) return true;
  if (header.sender == sender_ && header.stream < stream_) {
    ++counters_.rejected_old_stream;
    return false;
  }
  if (sender_ != 0 && sender_ != header.sender) retired_senders_.add(sender_);
  sender_ = header.sender;
  stream_ = header.stream;
  table_.begin_generation();
  window_.reset();
  span_ = 0;
  unacknowledged_ = 0;
  sweeping_ = summary_due_ = false;
  report_next_ = kBuckets;
  return true;
}

void DeltaReceiver::note_received(const FrameHeader& header, Instant now) {
  if (header.sequence != window_.newest() + 1 && window_.newest() != 0) ack_now_ = true;
  window_.note(header.sequence);
  if (header.sequence == window_.newest()) {
    span_ = header.span;
    newest_at_ = now;
    peer_in_sync_ = (header.flags & kFlagInSync) != 0;
  }
  if (unacknowledged_++ == 0) ack_at_ = now + kAckDelay;
}

bool DeltaReceiver::is_new(const FrameHeader& header) {
  const ReceiveWindow::Verdict verdict = window_.judge(header.sequence);
  if (verdict == ReceiveWindow::Verdict::fresh) return true;
  ++(verdict == ReceiveWindow::Verdict::duplicate ? counters_.rejected_duplicate
                                                  : counters_.rejected_too_old);
  return false;
}

void DeltaReceiver::on_data(const FrameHeader& header, ByteReader& records, Instant now) {
  if (!accept(header, now) || !is_new(header)) return;
  if (!decode_all(records)) {
    ++counters_.rejected_malformed;
    return;
  }
  ++counters_.frames_received;
  note_received(header, now);
  apply_batch(header.sequence);
}

void DeltaReceiver::on_marker(const FrameHeader& header, const Marker& marker, Instant now) {
  if (!accept(header, now)) return;
  ack_now_ = true;
  if (header.sequence == 0) {
    ++counters_.frames_received;
    peer_sessions_ = marker.sessions;
    return;
  }
  if (!is_new(header)) return;
  ++counters_.frames_received;
  note_received(header, now);
  peer_sessions_ = marker.sessions;
  if (marker.want == Marker::Want::nothing) return;
  // The digests must be those of exactly the frames up to the marker.
  if (window_.newest() != header.sequence || sweeping_ || counting()) {
    ++counters_.markers_unanswered;
    return;
  }
  report_ = {.round = marker.round,
             .first_bucket = 0,
             .count = 0,
             .marker = header.sequence,
             .sessions = digests_.sessions(),
             .root = digests_.root(),
             .received = window_.received(header.span),
             .digests = {}};
  summary_due_ = marker.want == Marker::Want::summary;
  report_next_ = summary_due_ ? kBuckets : 0;
  if (!summary_due_) reported_ = digests_;
}

std::size_t DeltaReceiver::next_frame(Instant now, MutableBytes buffer) {
  HOTPAIR_ASSERT(buffer.size() >= kMinFrame);
  const bool overdue = unacknowledged_ >= kFramesPerAck || (unacknowledged_ > 0 && now >= ack_at_);
  std::size_t size = 0;
  if (hello_due_ || (sender_ != 0 && (ack_now_ || overdue)))
    size = write_ack(now, buffer);
  else if (summary_due_ || report_next_ < kBuckets)
    size = write_report(buffer);
  else if (sender_ != 0 && offers_.due(now))
    size = write_offers(now, buffer);
  if (size > 0) ++counters_.frames_sent;
  return size;
}

FrameHeader DeltaReceiver::reply_header(FrameKind kind) {
  return {.kind = kind,
          .flags = 0,
          .span = 0,
          .stream = stream_,
          .epoch = epoch_,
          .sender = instance_,
          .receiver = sender_,
          .sequence = ++acks_};
}

std::size_t DeltaReceiver::write_ack(Instant now, MutableBytes buffer) {
  ByteWriter out(buffer);
  FrameHeader header = reply_header(FrameKind::ack);
  Ack ack{.credit = credit_, .delay_us = 0, .sessions = table_.size(), .received = {}};
  if (hello_due_) {
    header.stream = 0;
    header.receiver = hello_to_;
    hello_due_ = false;
  } else {
    ack.received = window_.received(span_);
    if (ack.received.newest != 0)
      ack.delay_us = static_cast<std::uint32_t>(std::clamp<std::int64_t>(
          to_us(now - newest_at_), 0, std::numeric_limits<std::int32_t>::max()));
    ack_now_ = false;
    unacknowledged_ = 0;
  }
  encode_header(header, out);
  encode(ack, out);
  return out.size();
}

std::size_t DeltaReceiver::write_report(MutableBytes buffer) {
  if (summary_due_) {
    summary_due_ = false;
  } else {
    report_.first_bucket = static_cast<std::uint16_t>(report_next_);
    report_.count = static_cast<std::uint16_t>(kBucketsPerReport);
    for (std::uint32_t i = 0; i < kBucketsPerReport; ++i)
      report_.digests[i] = reported_.bucket(report_next_ + i);
    report_next_ += kBucketsPerReport;
  }
  ByteWriter out(buffer);
  encode_header(reply_header(FrameKind::report), out);
  encode(report_, out);
  return out.size();
}

std::size_t DeltaReceiver::write_offers(Instant now, MutableBytes buffer) {
  const MutableBytes body = buffer.first(std::min(buffer.size(), kMaxFrame));
  std::size_t at = kHeaderSize + 2;
  std::uint16_t count = 0;
  offers_.hand_out(now, [&](const Session& session) {
    if (count == kMaxRecordsPerFrame) return false;
    const std::size_t size = encode_session(RecordKind::create, count, session, body.subspan(at));
    if (size == 0) return false;
    at += size;
    ++count;
    return true;
  });
  if (count == 0) return 0;
  counters_.offers_sent += count;
  ByteWriter out(body);
  encode_header(reply_header(FrameKind::offer), out);
  encode_record_count(count, body.data());
  return at;
}

std::optional<Instant> DeltaReceiver::next_deadline(Instant now) const {
  if (hello_due_ || sweeping_ || counting() || summary_due_ || report_next_ < kBuckets) return now;
  if (sender_ == 0) return std::nullopt;
  if (ack_now_ || unacknowledged_ >= kFramesPerAck) return now;
  std::optional<Instant> due = offers_.next_deadline();
  if (unacknowledged_ > 0) due = due ? std::min(*due, ack_at_) : ack_at_;
  return due;
}

}  // namespace hotpair::dataplane
