// The clear header of every sealed frame (WIRE.md): what tells the kinds apart and finds the key.
// All of it is authenticated by the tag behind the body.
#pragma once

#include "agent/core/association.hpp"

namespace hotpair::agent {

constexpr std::uint8_t kFrameVersion = 1;
enum class FrameKind : std::uint8_t {
  heartbeat = 1,
  greeting = 2,  // the echoed salt is zero: it proves no freshness
  network = 3,   // an Ethernet frame of the cluster network (cluster_channel.hpp)
};

struct FrameHeader {
  std::uint8_t version = kFrameVersion, kind = 0, sender = 0, path = 0;
  std::uint16_t group = 0;
  Salt sender_salt{}, echoed_salt{};
  std::uint64_t counter = 0;
  bool magic_ok = false, reserved_ok = false;  // as read

  FrameKind kind_of() const { return static_cast<FrameKind>(kind); }
};

// `frame` holds kHeartbeatHeaderSize bytes at least.
FrameHeader parse_header(Bytes frame);
void write_header(const FrameHeader& header, MutableBytes out);
// Unique under a key for as long as the sender's counter of that path never repeats.
Nonce nonce_of(std::uint8_t path, std::uint64_t counter);

}  // namespace hotpair::agent
