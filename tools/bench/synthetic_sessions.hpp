// Sessions that no traffic made: a quarter each of TCP and UDP over IPv4 and IPv6, all different,
// established and assured. The same number gives the same session, so what was filled in can be
// found and removed.
#pragma once

#include <cstdint>

#include "dataplane/core/session.hpp"

namespace hotpair::bench {

constexpr std::uint32_t kMostSyntheticSessions = 16'000'000;

dataplane::Session synthetic_session(std::uint32_t number, std::uint32_t timeout_s);

}  // namespace hotpair::bench
