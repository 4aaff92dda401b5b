// Hashes session keys for the small maps beside the table. Unkeyed: for maps whose size is bounded.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/core/session.hpp"
#include "platform/base/bytes.hpp"

namespace hotpair::conntrack {

struct KeyHash {
  std::size_t operator()(const dataplane::SessionKey& key) const {
    std::uint64_t h = 0xcbf29ce484222325ULL;
    const auto mix = [&h](std::uint64_t v) { h = (h ^ v) * 0x9e3779b97f4a7c15ULL, h ^= h >> 29; };
    for (std::size_t i = 0; i < 16; i += 8) {
      mix(load_be<std::uint64_t>(key.original.src.bytes.data() + i));
      mix(load_be<std::uint64_t>(key.original.dst.bytes.data() + i));
    }
    mix(std::uint64_t{key.original.src_port} << 48 | std::uint64_t{key.original.dst_port} << 32 |
        std::uint64_t{key.zone} << 16 | key.protocol);
    return h;
  }
};

}  // namespace hotpair::conntrack
