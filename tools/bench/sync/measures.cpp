#include "tools/bench/sync/measures.hpp"

namespace hotpair::bench::sync {

Duration Latencies::percentile(double percent) const {
  if (count_ == 0) return Duration{0};
  const auto wanted = static_cast<std::uint64_t>(static_cast<double>(count_) * percent / 100.0);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kPlaces; ++i) {
    seen += counts_[i];
    if (seen > wanted || seen == count_) return Duration(static_cast<std::int64_t>(upper_end(i)));
  }
  return Duration{0};
}

void Latencies::add(const Latencies& other) {
  for (std::size_t i = 0; i < kPlaces; ++i) counts_[i] += other.counts_[i];
  count_ += other.count_;
}

Duration busy(const StageTimes& times) {
  Duration sum{};
  for (std::size_t i = 0; i < kStages; ++i) {
    const auto stage = static_cast<Stage>(i);
    if (stage != Stage::load && stage != Stage::interrupted) sum += times[i];
  }
  return sum;
}

const char* name_of(Stage stage) {
  constexpr std::array<const char*, kStages> kNames = {"load",  "table",      "encode", "seal",
                                                       "open",  "decode",     "apply",  "answer",
                                                       "other", "interrupted"};
  return kNames[static_cast<std::size_t>(stage)];
}

}  // namespace hotpair::bench::sync
