// The cluster network: an Ethernet segment of two stations that rides sealed inside the heartbeat
// channel. Its addresses follow from group and chassis, so nothing of it is configured:
//
//   MAC    02:48:50:gg:gg:0c          gg:gg the group id, c the chassis
//   IPv4   169.254.200.0 + 4 x group, host c of that /30 (group 0: 169.254.200.1 and .2; the last,
//          1023, in 169.254.215.252/30); RFC 3927 lets a link of one's own number itself
//   IPv6   fe80::4850:<group>:<c>/64
//
// Pure: which frames pass, how large they may be, which path carries them, how fast.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "agent/core/association.hpp"
#include "agent/core/types.hpp"
#include "platform/base/bytes.hpp"
#include "platform/base/time.hpp"

namespace hotpair::agent {

struct ClusterAddress {
  std::array<std::uint8_t, 6> mac{};
  std::array<std::uint8_t, 4> ipv4{};
  std::array<std::uint8_t, 16> ipv6{};
};
constexpr std::uint8_t kClusterIpv4Prefix = 30, kClusterIpv6Prefix = 64;
ClusterAddress cluster_address(std::uint16_t group, ChassisId chassis);

// Header and tag around each frame, and the frame's own Ethernet header.
constexpr std::size_t kInnerHeaderSize = 14;
constexpr std::size_t kClusterOverhead = kHeartbeatHeaderSize + kTagSize + kInnerHeaderSize;
constexpr std::uint32_t kMaxClusterMtu = 1500 - kClusterOverhead;
static_assert(kMaxClusterMtu == 1406);
constexpr std::uint32_t kIpv6MinMtu = 1280, kMinClusterMtu = 576;  // RFC 8200; every IPv4 host's
constexpr std::size_t kMaxInnerFrame = kInnerHeaderSize + kMaxClusterMtu;
// The largest that every heartbeat interface carries unfragmented; of none: kMaxClusterMtu.
std::uint32_t cluster_mtu(std::uint32_t smallest_interface_mtu);

// Why an Ethernet frame is not carried.
enum class InnerDrop : std::uint8_t {
  too_short,
  too_long,
  foreign_source,       // not the sending end's MAC address
  foreign_destination,  // neither the other end's nor a group's
  count_,
};
std::string_view to_string(InnerDrop reason);
// The judge of one direction; both ends ask it, as neither trusts the other's kernel.
std::optional<InnerDrop> judge_inner(Bytes frame, const ClusterAddress& from,
                                     const ClusterAddress& to);

// The path to send on. Bits as in Heartbeat::paths_alive: what we hear, what the peer says it hears
// of us. Both ways first, then one on which the peer hears us, then one on which we hear him; the
// lowest of each. None: no heartbeat interface is of use.
std::optional<PathId> choose_cluster_path(std::uint8_t alive, std::uint8_t heard_by_peer,
                                          std::size_t heartbeat_paths);

// So many bytes a second, with at most `burst` saved up. What does not fit now says when it will.
class TokenBucket {
 public:
  TokenBucket(std::uint64_t bytes_per_second, std::uint64_t burst);
  void set_rate(std::uint64_t bytes_per_second) { rate_ = bytes_per_second; }
  // Takes `bytes` (at most the burst) and true, or nothing and false.
  bool take(std::uint64_t bytes, Instant now);
  Duration wait_for(std::uint64_t bytes) const;  // as of the last take

 private:
  std::uint64_t rate_, burst_;
  std::uint64_t tokens_;
  std::optional<Instant> filled_;
};

}  // namespace hotpair::agent
