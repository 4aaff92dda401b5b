#include "agent/core/cluster_network.hpp"

#include <algorithm>

namespace hotpair::agent {
namespace {

constexpr std::uint32_t kIpv4Base = (169u << 24) | (254u << 16) | (200u << 8);
constexpr std::uint8_t kLocalPrefix[3] = {0x02, 0x48, 0x50};  // locally administered, "HP"

}  // namespace

ClusterAddress cluster_address(std::uint16_t group, ChassisId chassis) {
  const auto host = static_cast<std::uint8_t>(chassis);
  ClusterAddress address;
  std::copy(std::begin(kLocalPrefix), std::end(kLocalPrefix), address.mac.begin());
  store_be<std::uint16_t>(address.mac.data() + 3, group);
  address.mac[5] = host;
  store_be<std::uint32_t>(address.ipv4.data(), kIpv4Base + 4u * group + host);
  store_be<std::uint16_t>(address.ipv6.data(), 0xfe80);
  store_be<std::uint16_t>(address.ipv6.data() + 10, 0x4850);
  store_be<std::uint16_t>(address.ipv6.data() + 12, group);
  store_be<std::uint16_t>(address.ipv6.data() + 14, host);
  return address;
}

std::uint32_t cluster_mtu(std::uint32_t smallest_interface_mtu) {
  if (smallest_interface_mtu == 0) return kMaxClusterMtu;
  if (smallest_interface_mtu < kMinClusterMtu + kClusterOverhead) return kMinClusterMtu;
  return std::min<std::uint32_t>(
      kMaxClusterMtu, smallest_interface_mtu - static_cast<std::uint32_t>(kClusterOverhead));
}

std::string_view to_string(InnerDrop reason) {
  switch (reason) {
    case InnerDrop::too_short:
      return "too_short";
    case InnerDrop::too_long:
      return "too_long";
    case InnerDrop::foreign_source:
      return "foreign_source";
    case InnerDrop::foreign_destination:
      return "foreign_destination";
    case InnerDrop::count_:
      break;
  }
  return "unknown";
}

std::optional<InnerDrop> judge_inner(Bytes frame, const ClusterAddress& from,
                                     const ClusterAddress& to) {
  constexpr std::uint8_t kGroupBit = 1;
  if (frame.size() < kInnerHeaderSize) return InnerDrop::too_short;
  if (frame.size() > kMaxInnerFrame) return InnerDrop::too_long;
  const Bytes destination = frame.first(to.mac.size());
  const Bytes source = frame.subspan(to.mac.size(), from.mac.size());
  if (!std::ranges::equal(source, from.mac)) return InnerDrop::foreign_source;
  if ((destination[0] & kGroupBit) == 0 && !std::ranges::equal(destination, to.mac))
    return InnerDrop::foreign_destination;
  return std::nullopt;
}

std::optional<PathId> choose_cluster_path(std::uint8_t alive, std::uint8_t heard_by_peer,
                                          std::size_t heartbeat_paths) {
  for (const unsigned usable :
       {unsigned{alive} & heard_by_peer, unsigned{heard_by_peer}, unsigned{alive}})
    for (std::size_t i = 0; i < std::min<std::size_t>(heartbeat_paths, kSessionSyncPath); ++i)
      if ((usable >> i & 1) != 0) return static_cast<PathId>(i);
  return std::nullopt;
}

TokenBucket::TokenBucket(std::uint64_t bytes_per_second, std::uint64_t burst)
    : rate_(bytes_per_second), burst_(burst), tokens_(burst) {
  HOTPAIR_ASSERT(rate_ > 0);
}

bool TokenBucket::take(std::uint64_t bytes, Instant now) {
  HOTPAIR_ASSERT(bytes <= burst_);
  if (!filled_) filled_ = now;
  // A second fills any bucket; more could overflow the product.
  const auto passed = static_cast<std::uint64_t>(
      std::clamp<Duration>(now - *filled_, Duration::zero(), Duration(1s)).count());
  if (const std::uint64_t earned = passed * rate_ / 1'000'000'000; earned > 0) {
    tokens_ = std::min(burst_, tokens_ + earned);
    filled_ = now;
  }
  if (tokens_ < bytes) return false;
  tokens_ -= bytes;
  return true;
}

Duration TokenBucket::wait_for(std::uint64_t bytes) const {
  if (tokens_ >= bytes) return Duration::zero();
  return Duration(static_cast<std::int64_t>((bytes - tokens_) * 1'000'000'000 / rate_ + 1));
}

}  // namespace hotpair::agent
