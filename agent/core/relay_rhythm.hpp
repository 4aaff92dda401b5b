// Which heartbeats the session-sync path carries. There each costs two data planes a wake-up, and
// the path is slow evidence by nature (peer_liveness.hpp gives it several detection times), so it
// carries few while the direct paths speak. Once they have been silent for longer than a beat, or
// the peer says so of what it hears (Heartbeat::direct_silent), each is carried: from then on this
// path may have to vouch alone. Pure.
#pragma once

#include <cstdint>

#include "platform/base/time.hpp"

namespace hotpair::agent {

// Of the sequence numbers, the path owes those divisible by this: four of them in the time after
// which the path is taken for dead. Where few lost heartbeats end a peer's life already, all.
constexpr std::uint64_t relay_stride(std::uint64_t lost_threshold) {
  return lost_threshold >= 4 ? lost_threshold * 3 / 2 : 1;
}

// Longer than a beat and its delay.
constexpr bool is_direct_silent(Duration since_direct, Duration interval) {
  return since_direct > interval * 3 / 2;
}

// `on_beat`: not said out of turn, which is news. `needed`: a side hears nothing on direct paths.
constexpr bool is_relayed(std::uint64_t sequence, bool on_beat, bool needed, Duration interval,
                          Duration detection) {
  const auto threshold = static_cast<std::uint64_t>(detection / interval);
  return sequence % relay_stride(threshold) == 0 || !on_beat || needed;
}

}  // namespace hotpair::agent
