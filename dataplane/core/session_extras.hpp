// What only some sessions have: labels, a helper with what it expects, sequence adjustment,
// synproxy, SCTP's and DCCP's own numbers, a master. Most sessions have none of it and pay for one
// null pointer.
//
// Extras never change once they are made: copies of a session share them, and a session that
// changes gets others. Copying is an atomic increment; it may be done and undone in any thread.
#pragma once

#include <array>
#include <atomic>
#include <compare>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/core/session_tuple.hpp"

namespace hotpair::dataplane {

// A name as the kernel keeps it: printable, at most N - 1 bytes, the rest zero.
template <std::size_t N>
struct Name {
  std::array<char, N> bytes{};

  // False, and unchanged, when it is too long or holds what is not printable.
  bool assign(std::string_view text) {
    if (text.size() >= N) return false;
    for (const char c : text)
      if (c <= ' ' || c > '~') return false;
    bytes.fill(0);
    text.copy(bytes.data(), text.size());
    return true;
  }
  std::string_view text() const {
    return {bytes.data(), std::char_traits<char>::length(bytes.data())};
  }
  bool empty() const { return bytes[0] == 0; }
  friend auto operator<=>(const Name&, const Name&) = default;
};
using HelperName = Name<16>;    // NF_CT_HELPER_NAME_LEN
using FunctionName = Name<24>;  // of an expectation: "nat-follow-master", "sip", ...

// Of one direction: what helpers have added to or taken from the stream (RFC 793 sequence numbers).
struct SequenceAdjustment {
  std::uint32_t position = 0;  // where the last change was made
  std::int32_t before = 0, after = 0;
  friend bool operator==(const SequenceAdjustment&, const SequenceAdjustment&) = default;
};

struct SynproxyState {
  std::uint32_t isn = 0, its = 0, timestamp_offset = 0;
  friend bool operator==(const SynproxyState&, const SynproxyState&) = default;
};

// A connection that the session's helper has read of and that is related to it when it comes.
struct Expectation {
  std::uint8_t protocol = 0;
  Tuple tuple;          // of its first packet
  Address source_mask;  // which bits of the source count; of the destination all do
  std::uint16_t source_port_mask = 0;
  std::uint8_t flags = 0;         // NF_CT_EXPECT_*
  std::uint8_t policy_class = 0;  // of the helper
  std::uint32_t timeout_s = 0;    // when it was made
  bool translated = false;        // the master is; the three below say where to
  std::uint8_t saved_direction = 0;
  Address saved_address;
  std::uint16_t saved_port = 0;
  FunctionName function;  // what the kernel calls when it comes; may be empty
  friend auto operator<=>(const Expectation&, const Expectation&) = default;
};
// Whether both expect the same, whatever is said of its time and flags.
inline bool same_target(const Expectation& a, const Expectation& b) {
  return a.protocol == b.protocol && a.tuple == b.tuple && a.source_mask == b.source_mask &&
         a.source_port_mask == b.source_port_mask;
}
constexpr std::size_t kMaxExpectations = 8;  // of one session; helpers allow themselves fewer

struct Extras {
  enum Part : std::uint16_t {
    kLabels = 1,
    kHelper = 2,
    kSequence = 4,
    kSynproxy = 8,
    kSctp = 16,
    kDccp = 32,
    kMaster = 64,
    kReplyZone = 128,
    kExpectations = 256,
    kAllParts = 511
  };

  std::uint16_t parts = 0;  // which of the following there are; the others are zero
  std::array<std::uint8_t, 16> labels{};
  HelperName helper;
  std::array<SequenceAdjustment, 2> sequence;  // original direction, reply
  SynproxyState synproxy;
  std::array<std::uint32_t, 2> sctp_tags{};  // verification tags of original direction, reply
  std::uint8_t dccp_role = 0;                // of the original direction: 0 client, 1 server
  std::uint64_t dccp_handshake = 0;          // 48 bits
  std::uint8_t master_protocol = 0;          // the session by whose helper this one was expected
  Tuple master;
  std::uint16_t reply_zone = 0;  // conntrack zone of the reply direction, when it is another
  std::vector<Expectation> expectations;  // in ascending order, each once

  bool has(Part part) const { return (parts & part) != 0; }
  void add(Part part) { parts = static_cast<std::uint16_t>(parts | part); }
  void drop(Part part) { take(part, Extras{}); }
  void take(Part part, const Extras& from);  // becomes as it is there: that, or missing
  friend bool operator==(const Extras&, const Extras&) = default;
};

// A session's extras, or none.
class SharedExtras {
 public:
  SharedExtras() = default;
  static SharedExtras of(Extras extras);  // none when it has no parts
  SharedExtras(const SharedExtras& other) : held_(other.held_) {
    if (held_ != nullptr) held_->users.fetch_add(1, std::memory_order_relaxed);
  }
  SharedExtras(SharedExtras&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
  SharedExtras& operator=(SharedExtras other) noexcept {
    std::swap(held_, other.held_);
    return *this;
  }
  ~SharedExtras() {
    if (held_ != nullptr) release();
  }

  explicit operator bool() const { return held_ != nullptr; }
  const Extras& operator*() const { return held_->extras; }
  const Extras* operator->() const { return &held_->extras; }
  bool has(Extras::Part part) const { return held_ != nullptr && held_->extras.has(part); }
  // A copy to change; empty when there are none.
  Extras copy() const { return held_ != nullptr ? held_->extras : Extras{}; }
  friend bool operator==(const SharedExtras& a, const SharedExtras& b) {
    return a.held_ == b.held_ ||
           (a.held_ != nullptr && b.held_ != nullptr && a.held_->extras == b.held_->extras);
  }

 private:
  struct Held {
    Extras extras;
    std::atomic<std::uint32_t> users{1};
  };
  void release();

  Held* held_ = nullptr;
};

}  // namespace hotpair::dataplane
