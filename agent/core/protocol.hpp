// Which versions of the protocol a node speaks, and which one a pair speaks then; pure.
//
// The layout of a frame has a version of its own (frame_header.hpp), and within a layout nothing
// ever changes its meaning: unknown sections are skipped, known ones are appended to. A version of
// the protocol rises when it is not enough that an older node skips what it does not know: when
// both must do something, or must do it otherwise. Version 1 is what WIRE.md describes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

namespace hotpair::agent {

struct ProtocolRange {
  std::uint8_t lowest = 1, highest = 1;  // from a peer: any two numbers
  friend bool operator==(const ProtocolRange&, const ProtocolRange&) = default;
};

// What this build speaks; and what a node means that does not say.
constexpr ProtocolRange kSpokenProtocol{1, 1};
constexpr ProtocolRange kUnsaidProtocol{1, 1};

// The highest version that both speak; none: there is no such version. Symmetric.
constexpr std::optional<std::uint8_t> agree(const ProtocolRange& own, const ProtocolRange& peers) {
  const std::uint8_t highest = std::min(own.highest, peers.highest);
  if (highest < std::max(own.lowest, peers.lowest)) return std::nullopt;
  return highest;
}

}  // namespace hotpair::agent
