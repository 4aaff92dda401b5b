// Which heartbeats the session-sync path carries. There each costs two data planes a wake-up, and
// the path is slow evidence by nature (peer_liveness.hpp gives it several detection times), so
// every second one will do while the direct paths speak. Once they have been silent for longer than
// a beat, each is carried: from then on this path may have to vouch alone. Pure.
#pragma once

#include <cstdint>

#include "platform/base/time.hpp"

namespace hotpair::agent {

// Of the sequence numbers, the path owes those divisible by this. Where few lost heartbeats end a
// peer's life already, it owes all.
constexpr std::uint64_t relay_stride(std::uint64_t lost_threshold) {
  return lost_threshold >= 4 ? 2 : 1;
}

// `on_beat`: not said out of turn, which is news. `since_direct`: the time since a heartbeat of the
// peer came on any direct path.
constexpr bool is_relayed(std::uint64_t sequence, bool on_beat, Duration since_direct,
                          Duration interval, Duration detection) {
  const auto threshold = static_cast<std::uint64_t>(detection / interval);
  return sequence % relay_stride(threshold) == 0 || !on_beat || since_direct > interval * 3 / 2;
}

}  // namespace hotpair::agent
