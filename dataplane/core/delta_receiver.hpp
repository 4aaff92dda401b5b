// The backup's half of the replication: applies the primary's frames to the table and tells the
// sink, acknowledges, and reports digests. Frames may come late, twice, in any order or never.
//
// Each session stands in the slot whose number is its id, as on the primary, so that updates and
// ends find it without a lookup. What stands there from an earlier stream makes way.
//
// A record is applied unless a newer frame already named its session. What an earlier stream left
// in the table stays until the new stream has named all it has and says so (a sweep): never a
// flush.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "dataplane/core/compact_record.hpp"
#include "dataplane/core/counters.hpp"
#include "dataplane/core/delta_wire.hpp"
#include "dataplane/core/digest.hpp"
#include "dataplane/core/offers.hpp"
#include "dataplane/core/receive_window.hpp"
#include "dataplane/core/retired.hpp"
#include "dataplane/core/session_sink.hpp"
#include "dataplane/core/session_table.hpp"
#include "platform/base/time.hpp"

namespace hotpair::dataplane {

class DeltaReceiver {
 public:
  DeltaReceiver(SessionTable& table, SessionSink& sink, Counters& counters);

  // Becomes the backup's under a new instance number; frames of epochs below `epoch` are ignored.
  void start(std::uint64_t epoch, std::uint32_t instance);
  void raise_epoch(std::uint64_t epoch) { epoch_ = std::max(epoch_, epoch); }
  void lower_epoch(std::uint64_t epoch) { epoch_ = epoch; }  // the stream it was in goes on
  void set_credit(std::uint16_t frames);

  void on_data(const FrameHeader& header, ByteReader& records, Instant now);
  void on_marker(const FrameHeader& header, const Marker& marker, Instant now);
  std::size_t next_frame(Instant now, MutableBytes buffer);
  // Goes on with the count of digests, with a sweep and with what is offered.
  void work(std::size_t max_slots, Instant now);
  void scrub(std::uint32_t id);
  std::optional<Instant> next_deadline(Instant now) const;

  std::uint64_t epoch() const { return epoch_; }
  bool peer_heard(Instant now) const;
  bool offering() const { return !offers_.empty(); }
  bool in_sync(Instant now) const { return peer_in_sync_ && peer_heard(now); }
  std::uint64_t peer_sessions() const { return peer_sessions_; }

  static constexpr Duration kPeerSilence = 2s;
  static constexpr Duration kAckDelay = 200us;
  static constexpr std::uint32_t kFramesPerAck = 8;

 private:
  struct Target {
    CompactRecord record;
    std::uint16_t bucket = 0;  // sweep
    std::uint16_t whole = 0;   // create: its place in wholes_; kAlone when `record` says all
    std::uint64_t hash = 0;    // create; sweep: from which frame
  };
  static constexpr std::uint16_t kAlone = 0xffff;

  bool accept(const FrameHeader& header, Instant now);
  bool follow(const FrameHeader& header);
  bool is_new(const FrameHeader& header);
  void note_received(const FrameHeader& header, Instant now);
  bool decode_all(ByteReader& in);
  bool decode_whole(ByteReader& in, Target& target);
  void apply_batch(std::uint64_t sequence);
  void fetch_first(Target& target);
  void fetch_second(const Target& target) const;
  bool bound(const Slot& slot) const;
  bool named_later(const Slot& slot, std::uint64_t sequence) const;
  void apply(const Target& target, std::uint64_t sequence);
  void apply_create(const Target& target, std::uint64_t sequence);
  void apply_update(std::uint32_t id, UpdatedPart part);
  std::uint32_t place_for(const Target& target, const SessionView& session, std::uint64_t sequence);
  bool vacate(std::uint32_t id);
  bool insert(std::uint32_t id, const SessionView& session, std::uint64_t hash);
  void move(std::uint32_t from, std::uint32_t to);
  void changed(std::uint32_t id);
  void tell_sink(std::uint32_t id);
  void remove(std::uint32_t id);
  void begin_sweep(std::uint16_t bucket, std::uint64_t from);
  void count_slot(std::uint32_t id);
  void sweep_slot(std::uint32_t id, Instant now);
  void settle_offers(Instant now);
  std::size_t write_ack(Instant now, MutableBytes buffer);
  std::size_t write_report(MutableBytes buffer);
  std::size_t write_offers(Instant now, MutableBytes buffer);
  FrameHeader reply_header(FrameKind kind);
  void set_digest(std::uint32_t id, std::uint64_t key_digest, std::uint64_t digest);
  void recount();
  bool counting() const { return counted_to_ != SessionTable::kNone; }

  SessionTable& table_;
  SessionSink& sink_;
  Counters& counters_;
  std::uint32_t instance_ = 0;

  std::uint64_t epoch_ = 0;
  std::uint32_t sender_ = 0, stream_ = 0;  // whom we follow; sender 0: nobody yet
  Retired retired_senders_;
  ReceiveWindow window_;
  DigestTable digests_;                             // of the slots below counted_to_
  std::uint32_t counted_to_ = SessionTable::kNone;  // kNone: all
  std::uint64_t peer_sessions_ = 0;
  bool peer_in_sync_ = false, heard_ = false;
  Instant heard_at_;

  std::uint32_t hello_to_ = 0;  // a sender that does not know our instance number
  bool hello_due_ = false, ack_now_ = false;
  std::uint32_t unacknowledged_ = 0;
  Instant ack_at_, newest_at_;
  std::uint16_t span_ = 0, credit_ = kWindowFrames;
  std::uint64_t acks_ = 0;

  BucketSet sweep_buckets_;
  bool sweeping_ = false;
  std::uint64_t sweep_from_ = 0;
  std::uint32_t sweep_at_ = 0;

  Offers offers_;

  Report report_;  // of the marker last answered
  DigestTable reported_;
  std::uint32_t report_next_ = kBuckets;  // bucket to report next; kBuckets: none
  bool summary_due_ = false;

  std::array<Target, kMaxRecordsPerFrame> batch_;
  std::size_t batch_size_ = 0;
  std::vector<Session> wholes_;  // of the batch
};

}  // namespace hotpair::dataplane
