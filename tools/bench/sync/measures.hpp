// What both ends note down while they run, and what becomes of it. Each belongs to one thread until
// that thread has ended.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <vector>

#include "platform/base/time.hpp"

namespace hotpair::bench::sync {

// Durations in buckets an eighth of a power of two wide: percentiles within 9 %.
class Latencies {
 public:
  void add(Duration d) {
    ++counts_[place(static_cast<std::uint64_t>(d.count() > 0 ? d.count() : 0))];
    ++count_;
  }
  std::uint64_t count() const { return count_; }
  Duration percentile(double percent) const;  // 0 without any
  void clear() { *this = Latencies{}; }
  void add(const Latencies& other);

 private:
  static constexpr std::size_t kPlaces = 512;
  static std::size_t place(std::uint64_t ns) {
    if (ns < 8) return ns;
    const auto log = static_cast<unsigned>(std::bit_width(ns)) - 1;
    return 8 * (log - 2) + (ns >> (log - 3) & 7);
  }
  static std::uint64_t upper_end(std::size_t place) {
    if (place < 8) return place;
    return (place % 8 + 9) << (place / 8 - 1);
  }

  std::array<std::uint64_t, kPlaces> counts_{};
  std::uint64_t count_ = 0;
};

// Where one end's time goes.
enum class Stage : std::uint8_t {
  load,
  table,
  encode,
  seal,
  open,
  decode,
  apply,
  answer,
  other,
  interrupted  // the machine ran something else meanwhile
};
constexpr std::size_t kStages = 10;
const char* name_of(Stage stage);
using StageTimes = std::array<Duration, kStages>;
// Of the work itself: without making the load, waiting, and interruptions.
Duration busy(const StageTimes& times);

struct Sample {  // one of the series
  Duration at{};
  double deltas_per_s = 0;
  std::uint64_t lag_sessions = 0;
  Duration p50{}, p99{};
};

struct PhaseTimes {
  std::string name;
  Duration began_at{}, took{};
  std::uint64_t deltas = 0;      // told to the primary
  std::uint64_t applied = 0;     // by the backup
  std::uint64_t wire_bytes = 0;  // of frames of the primary, Ethernet header and seal included
  std::uint64_t body_bytes = 0;  // of records, without any header
  std::uint64_t frames = 0;
  StageTimes sender{}, receiver{};
  Latencies latencies;
};

struct Outcome {
  std::vector<PhaseTimes> phases;
  std::vector<Sample> sender_series, receiver_series;
  std::uint64_t sessions_primary = 0, sessions_backup = 0;
  std::uint64_t most_sessions = 0;
  std::size_t frame = 0;  // bytes of the largest frame that the link takes
  double bytes_a_session_primary = 0, bytes_a_session_backup = 0;  // at most_sessions
  bool equal = false;   // digests compared equal at the end
  std::string failure;  // empty: it ran to its end
  std::uint64_t frames_lost = 0;
};

}  // namespace hotpair::bench::sync
