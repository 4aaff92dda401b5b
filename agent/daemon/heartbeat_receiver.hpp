// From frames on the heartbeat interfaces, and from relayed ones, to the core's HeartbeatReceived
// and MismatchSeen. Every byte is hostile: VLAN and ethertype are checked, the association
// verifies, and only then is the body read. Runs in the main loop.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/core/beat_jitter.hpp"
#include "agent/core/heartbeat.hpp"
#include "agent/daemon/links.hpp"
#include "agent/daemon/mismatch_table.hpp"
#include "agent/daemon/node_config.hpp"
#include "agent/daemon/shared_association.hpp"
#include "platform/base/log.hpp"
#include "platform/linux/pcap_channel.hpp"

namespace hotpair::daemon {

class HeartbeatReceiver {
 public:
  struct Needs {
    SharedAssociation& association;
    Emit emit;
    Log log;
    std::function<void(agent::PathId, const agent::Heartbeat&)> heard;  // after emit
    std::function<Duration()> interval;                                 // of the peer's heartbeats
  };
  HeartbeatReceiver(Needs needs, std::vector<HeartbeatPath> paths, std::uint16_t group)
      : needs_(std::move(needs)), paths_(std::move(paths)), group_(group) {}

  void on_frame(agent::PathId path, const sys::FrameView& frame);
  // A sealed heartbeat that the data plane carried; `heard_at` is not later than now.
  void on_relay(Instant heard_at, Bytes frame);
  // One that came over the management network, from the peer's address.
  void on_management(Instant heard_at, Bytes frame);

  std::vector<MismatchRow> mismatches() const { return table_.rows(); }
  const std::array<agent::BeatJitter, agent::kMaxPaths>& jitter() const { return jitter_; }

 private:
  struct Origin {
    agent::PathId path = 0;
    Instant heard_at;
    std::optional<sys::MacAddress> station;  // none: it came inside another's frame
  };
  void open(const Origin& origin, Bytes frame);
  void accept(const Origin& origin, bool new_association, Bytes body);
  void reject(const Origin& origin, const agent::RejectedFrame& rejected);
  void wrong_envelope(const Origin& origin, const sys::FrameView& frame);
  void mismatch(const Origin& origin, agent::Rejection reason, bool proven, Bytes body,
                const std::string& detail);
  std::string describe(const agent::RejectedFrame& rejected) const;
  std::string name_of(agent::PathId path) const;
  static std::string source_of(const Origin& origin);

  Needs needs_;
  std::vector<HeartbeatPath> paths_;
  std::uint16_t group_;
  MismatchTable table_;
  std::array<agent::BeatJitter, agent::kMaxPaths> jitter_;
  std::array<std::uint8_t, agent::kMaxBodySize> body_{};
};

}  // namespace hotpair::daemon
