// Whether the peer is there, judged by what was heard on each path and when the kernel received it.
//
// A path is alive while a heartbeat came on it within the detection time. The peer is alive while
// any path carried, within that time, a heartbeat whose sender's main loop had run within it too: a
// node whose loop stands still no longer vouches for itself, however punctual its heartbeat thread.
// The session-sync path leads through the data plane, which is not scheduled in real time. It is
// given longer (kRelayPatience), and so is a peer heard on nothing else for a detection time
// already: with the heartbeat cables gone, a slow detection is better than two primaries. Every
// path carries the same sequence numbers, so a path that stays behind the others is dead, and a
// silence of all is the node's.
#pragma once

#include <optional>

#include "agent/core/heartbeat.hpp"
#include "agent/core/text.hpp"

namespace hotpair::agent {

class PeerLiveness {
 public:
  struct Path {
    bool configured = false;
    bool relayed = false;  // by the data planes
    bool ever_heard = false;
    bool alive = false;
    bool reported_dead = false;
    Instant last_heard;
    std::uint64_t newest = 0;  // sequence
    std::uint64_t received = 0, lost = 0;
    std::uint32_t recent_loss = 0;  // moving average, in 1/65536
  };
  // What update() found changed, as bits by path.
  struct Changes {
    std::uint8_t died = 0, came = 0;  // paths, while the peer itself is alive
    bool peer_died = false, peer_came = false;
  };

  void configure(const std::array<PathConfig, kMaxPaths>& paths, Duration detection, int threshold);
  // Takes one accepted heartbeat; `heard_at` is the kernel's. False when a newer one was taken
  // before.
  bool heard(PathId path, Instant heard_at, bool new_association, const Heartbeat& heartbeat);
  // We ourselves stood still until now: what the peer sent meanwhile may still be on its way to us.
  void resumed(Instant now);
  Changes update(Instant now);
  // For rehearsals (what_if.hpp): the peer's word, and whether it is there.
  void assume(const Heartbeat& heartbeat, bool alive, Instant now);

  bool known() const { return known_; }
  // When it fell silent last, it said nothing meanwhile: its numbers go on where they had ended.
  bool stood_still() const { return stood_still_; }
  bool alive() const { return alive_; }
  const Heartbeat& newest() const { return newest_; }
  const Path& path(PathId id) const { return paths_[id]; }
  std::uint8_t paths_alive() const;     // bit i: path i
  std::optional<PathId> best() const;   // the lowest id among the alive ones with the least loss
  Duration silence(Instant now) const;  // since anything was heard of the peer
  // Its heartbeats go on; while it is not alive() this says that its main loop stands still.
  bool speaks(Instant now) const { return known_ && silence(now) < detection_; }
  Instant next_change() const;  // when update() may find something, at the earliest
  Reason silent_reason(Instant now) const;

 private:
  template <typename>
  friend struct FieldsOf;  // recordings
  Duration patience(const Path& path) const;
  bool relayed_alone() const;
  Duration peer_patience() const;
  bool path_alive(const Path& path, Instant now) const;
  bool peer_alive(Instant now) const;
  bool goes_on(std::uint64_t sequence) const;
  void count_gap(Path& path, std::uint64_t sequence, bool restarted);

  Duration detection_{};
  std::uint64_t threshold_ = 4;
  std::array<Path, kMaxPaths> paths_{};
  bool known_ = false, alive_ = false, stood_still_ = false;
  std::uint64_t came_at_ = 0;  // the sequence with which the peer came (back) to life
  Instant vouched_at_;         // the newest heartbeat from a running main loop
  Instant resumed_at_;
  bool alive_at_resume_ = false;
  Heartbeat newest_;
};

}  // namespace hotpair::agent
