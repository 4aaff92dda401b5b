#include "agent/core/peer_liveness.hpp"

#include "agent/core/relay_rhythm.hpp"

namespace hotpair::agent {
namespace {

constexpr std::uint32_t kLossUnit = 65536;
constexpr std::uint32_t kLossMemory = 64;       // heartbeats over which the average mostly forgets
constexpr std::uint64_t kLargestGap = 100'000;  // more is a sender that counts anew, not loss

// Of detection times. A data plane among busy programs was seen late by three.
constexpr int kRelayPatience = 6;

constexpr std::uint8_t bit(PathId path) {
  return static_cast<std::uint8_t>(1u << path);
}

}  // namespace

void PeerLiveness::configure(const std::array<PathConfig, kMaxPaths>& paths, Duration detection,
                             int threshold) {
  detection_ = detection;
  threshold_ = threshold > 0 ? static_cast<std::uint64_t>(threshold) : 1;
  for (PathId i = 0; i < kMaxPaths; ++i) {
    if (paths_[i].configured != paths[i].configured) paths_[i] = Path{};
    paths_[i].configured = paths[i].configured;
    paths_[i].relayed = paths[i].kind == PathConfig::Kind::session_sync;
  }
}

bool PeerLiveness::heard(PathId id, Instant heard_at, bool new_association,
                         const Heartbeat& heartbeat) {
  HOTPAIR_ASSERT(id < kMaxPaths);
  if (new_association)
    for (Path& path : paths_) path.newest = heartbeat.sequence;  // counted anew from here
  Path& path = paths_[id];
  // By the first word after a silence alone: what follows it goes on without a gap in any case.
  if (known_ && silence(heard_at) >= detection_)
    stood_still_ = !new_association && goes_on(heartbeat.sequence);
  count_gap(path, heartbeat.sequence, !path.ever_heard || new_association);
  path.ever_heard = true;
  path.last_heard = std::max(path.last_heard, heard_at);
  ++path.received;
  const bool loop_runs = std::chrono::microseconds(heartbeat.loop_age_us) < detection_;
  if (loop_runs) vouched_at_ = std::max(vouched_at_, heard_at);
  if (known_ && !new_association && heartbeat.sequence <= newest_.sequence) return false;
  if (!loop_runs) vouched_at_ = {};  // its own word against it outweighs what was heard before
  known_ = true;
  newest_ = heartbeat;
  return true;
}

// Half of what it would have said in the shortest silence that counts may be missing: some are
// always lost.
bool PeerLiveness::goes_on(std::uint64_t sequence) const {
  return sequence > newest_.sequence && 2 * (sequence - newest_.sequence) <= threshold_;
}

void PeerLiveness::count_gap(Path& path, std::uint64_t sequence, bool restarted) {
  std::uint64_t gap = 0;
  if (!restarted) {
    if (sequence <= path.newest) return;  // late or twice: neither lost nor new
    const std::uint64_t stride = path.relayed ? relay_stride(threshold_) : 1;
    gap = (sequence - 1) / stride - path.newest / stride;  // those it owed of what lies between
    if (gap > kLargestGap) gap = 0;
  }
  path.newest = sequence;
  path.lost += gap;
  const auto weight = static_cast<std::uint32_t>(std::min<std::uint64_t>(gap, kLossMemory));
  path.recent_loss -= path.recent_loss / kLossMemory;
  path.recent_loss = std::min(kLossUnit, path.recent_loss + weight * (kLossUnit / kLossMemory));
}

void PeerLiveness::resumed(Instant now) {
  resumed_at_ = now;
  alive_at_resume_ = alive_;
}

Duration PeerLiveness::patience(const Path& path) const {
  return path.relayed ? kRelayPatience * detection_ : detection_;
}

// Whether a relayed path went on for a detection time after every other had fallen silent.
bool PeerLiveness::relayed_alone() const {
  Instant relayed, direct;
  for (const Path& path : paths_)
    if (path.ever_heard) {
      Instant& newest = path.relayed ? relayed : direct;
      newest = std::max(newest, path.last_heard);
    }
  return relayed >= direct + detection_;
}

Duration PeerLiveness::peer_patience() const {
  return relayed_alone() ? kRelayPatience * detection_ : detection_;
}

bool PeerLiveness::path_alive(const Path& path, Instant now) const {
  if (!path.configured || !path.ever_heard) return false;
  const Instant floor = path.alive && alive_at_resume_ ? resumed_at_ : Instant{};
  return now - std::max(path.last_heard, floor) < patience(path);
}

bool PeerLiveness::peer_alive(Instant now) const {
  if (!known_) return false;
  const Instant floor = alive_ && alive_at_resume_ ? resumed_at_ : Instant{};
  return now - std::max(vouched_at_, floor) < peer_patience();
}

PeerLiveness::Changes PeerLiveness::update(Instant now) {
  Changes changes;
  const bool alive = peer_alive(now);
  changes.peer_died = alive_ && !alive;
  changes.peer_came = !alive_ && alive;
  if (changes.peer_came) came_at_ = newest_.sequence;
  for (PathId i = 0; i < kMaxPaths; ++i) {
    Path& path = paths_[i];
    path.alive = path_alive(path, now);
    if (path.alive) {
      if (path.reported_dead) changes.came |= bit(i);
      path.reported_dead = false;
    } else if (path.ever_heard && path.configured && !path.reported_dead && alive &&
               newest_.sequence >= std::max(path.newest, came_at_) + threshold_) {
      path.reported_dead = true;  // the others went on: the path, not the node
      changes.died |= bit(i);
    }
  }
  alive_ = alive;
  return changes;
}

std::uint8_t PeerLiveness::paths_alive() const {
  std::uint8_t bits = 0;
  for (PathId i = 0; i < kMaxPaths; ++i)
    if (paths_[i].alive) bits |= bit(i);
  return bits;
}

std::optional<PathId> PeerLiveness::best() const {
  std::optional<PathId> best;
  std::uint32_t least = 0;
  for (PathId i = 0; i < kMaxPaths; ++i) {
    if (!paths_[i].alive) continue;
    const std::uint32_t percent = paths_[i].recent_loss / (kLossUnit / 100);
    if (best && percent >= least) continue;
    best = i;
    least = percent;
  }
  return best;
}

Duration PeerLiveness::silence(Instant now) const {
  Instant newest;
  for (const Path& path : paths_) newest = std::max(newest, path.last_heard);
  return now - newest;
}

void PeerLiveness::assume(const Heartbeat& heartbeat, bool alive, Instant now) {
  newest_ = heartbeat;
  if (alive) return;
  alive_ = false;
  vouched_at_ = {};
  for (Path& path : paths_) {
    path.alive = false;
    path.last_heard = std::min(path.last_heard, now - detection_);
  }
}

Instant PeerLiveness::next_change() const {
  Instant next = Instant::max();
  const Instant floor = alive_at_resume_ ? resumed_at_ : Instant{};
  if (alive_) next = std::max(vouched_at_, floor) + peer_patience();
  for (const Path& path : paths_)
    if (path.alive) next = std::min(next, std::max(path.last_heard, floor) + patience(path));
  return next;
}

Reason PeerLiveness::silent_reason(Instant now) const {
  unsigned heard = 0, silent = 0;
  for (const Path& path : paths_) {
    if (!path.configured || !path.ever_heard) continue;
    ++heard;
    if (now - path.last_heard >= detection_) ++silent;
  }
  if (silent < heard)
    return Sentence("peer's main loop stood still for ",
                    Duration(std::chrono::microseconds(newest_.loop_age_us)),
                    " while its heartbeats go on");
  return Sentence("peer silent for ", silence(now), " on ", silent, " of ", heard,
                  heard == 1 ? " path" : " paths");
}

}  // namespace hotpair::agent
