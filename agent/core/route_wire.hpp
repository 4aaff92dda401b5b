// What the two agents say to each other about routes over a proven connection (the messages of
// platform/linux/message_stream, WIRE.md). The primary asks, a round at a time:
//
//   asks  1 offer    its bucket digests         serves  2 want     the buckets that differ
//   asks  3 entries  of those; as often as needed
//   asks  4 commit                              serves  5 outcome  what became of them
//
// A keeper that refuses answers the offer with an outcome. Decoders return none for what is
// malformed or out of bounds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/route_table.hpp"
#include "platform/base/bytes.hpp"

namespace hotpair::agent {

enum class RouteMessage : std::uint8_t { offer = 1, want, entries, commit, outcome };

constexpr std::size_t kMaxRouteMessage = 1u << 20;
constexpr std::size_t kMaxOutcomeText = 512;

struct RouteOffer {
  std::uint32_t entries = 0;  // in the whole table
  RouteDigests digests;
};

struct RouteOutcome {
  bool ok = false;
  std::uint32_t installed = 0;  // in the keeper's kernel, as the others
  std::uint32_t waiting = 0;    // their device is missing or down
  std::uint32_t own = 0;        // the keeper has one of its own there
  std::uint32_t refused = 0;    // by its kernel
  std::string text;             // why not, or the kernel's last refusal
  friend bool operator==(const RouteOutcome&, const RouteOutcome&) = default;
};

using ByteVector = std::vector<std::uint8_t>;

ByteVector encode(const RouteOffer& offer);
std::optional<RouteOffer> decode_offer(Bytes bytes);

ByteVector encode_want(const std::vector<bool>& buckets);
std::optional<std::vector<bool>> decode_want(Bytes bytes, std::size_t buckets);

// The table's entries in the wanted buckets, cut into messages.
class RouteEntryWriter {
 public:
  // A message's worth so far; true: it must be sent now, and clear() called.
  bool add(const std::string& key, const std::string& value);
  const ByteVector& bytes() const { return bytes_; }
  void clear() { bytes_.clear(); }

 private:
  ByteVector bytes_;
};
// Adds them to `out`; false: malformed, too many, or one in a bucket that was not asked for.
bool decode_entries(Bytes bytes, const std::vector<bool>& wanted, RouteTable& out);

ByteVector encode(const RouteOutcome& outcome);
std::optional<RouteOutcome> decode_outcome(Bytes bytes);

}  // namespace hotpair::agent
