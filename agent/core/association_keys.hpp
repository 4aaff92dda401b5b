// Keys of salts that are not (yet) the peer's: a small cache in front of the costly derivation, and
// a bucket of permissions counted in frames, so that forged salts cannot make every frame cost an
// HKDF.
#pragma once

#include "agent/core/association.hpp"

namespace hotpair::agent {

// The two salts in the order of the header, and the sender, whose direction the key is for.
struct Direction {
  Salt sender_salt{}, echoed_salt{};
  ChassisId sender = ChassisId::one;
  friend bool operator==(const Direction&, const Direction&) = default;
};

constexpr std::string_view kHeartbeatPurpose = "hotpair heartbeat";
constexpr std::size_t kPasswords = 2;  // the current one, and the next during a rotation

// The keys of one direction, each derived when first wanted.
struct DirectionKeys {
  Direction direction;
  std::array<std::optional<Key>, kPasswords> keys{};
};

class UnknownKeys {
 public:
  // A frame arrived: an eighth of a derivation is earned.
  void frame_seen();
  // The keys of `direction`, with room to derive those that are missing; nothing while throttled.
  DirectionKeys* find(const Direction& direction);
  bool may_derive();
  void clear();

 private:
  // Two nodes, each with an old and a new salt, and a few strangers on the segment.
  static constexpr std::size_t kCached = 8;
  static constexpr unsigned kEarnedEvery = 8;  // frames a derivation
  static constexpr unsigned kMostTokens = 16;

  std::array<DirectionKeys, kCached> cache_{};
  std::size_t used_ = 0, next_ = 0;
  unsigned tokens_ = kMostTokens, frames_ = 0;
};

}  // namespace hotpair::agent
