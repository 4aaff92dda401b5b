// Seals and opens the frames of the cluster network: kind 3 behind the same clear header as a
// heartbeat (WIRE.md), under keys of their own, with counters and replay windows of their own. So
// a heartbeat and a data frame never share a nonce, and none passes for the other.
//
// Pure; one thread. Nothing is opened before the association gave keys.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "agent/core/association.hpp"
#include "agent/core/cluster_network.hpp"
#include "platform/base/replay_window.hpp"

namespace hotpair::agent {

constexpr std::string_view kClusterNetworkPurpose = "hotpair cluster network";
constexpr std::size_t kMaxClusterFrame = kHeartbeatHeaderSize + kMaxInnerFrame + kTagSize;
static_assert(kMaxClusterFrame == 1500);

class ClusterChannel {
 public:
  ClusterChannel(ChassisId self, std::uint16_t group, FrameCipher& cipher)
      : self_(self), group_(group), cipher_(cipher) {}

  // New keys; those before are still accepted, as the peer may change over a moment later. None:
  // nothing passes.
  void use(const std::optional<ChannelKeys>& keys);
  bool ready() const { return keys_.has_value(); }

  // ready() only. `inner` is at most kMaxInnerFrame bytes, `out` has room for kMaxClusterFrame.
  std::size_t seal(PathId path, Bytes inner, MutableBytes out);
  // The size of the inner frame; `inner` has room for kMaxInnerFrame.
  Result<std::size_t, Rejection> open(PathId path, Bytes frame, MutableBytes inner);

 private:
  bool verify(Bytes frame, const Nonce& nonce, MutableBytes inner);

  ChassisId self_;
  std::uint16_t group_;
  FrameCipher& cipher_;
  std::optional<ChannelKeys> keys_;
  std::optional<Key> receive_before_;
  Salt own_{}, peers_{};  // whose counters the windows remember, also while there are no keys
  std::array<std::uint64_t, kMaxPaths> counters_{};  // rise for as long as our salt stands
  std::array<ReplayWindow<4096>, kMaxPaths> windows_{};
};

}  // namespace hotpair::agent
