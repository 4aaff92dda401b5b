// Hash and digests of compact sessions, without making whole ones of them: the same values as
// session_key.hpp's.
#pragma once

#include "dataplane/core/compact_session.hpp"
#include "dataplane/core/mixing.hpp"

namespace hotpair::dataplane {

// Of an IPv4 key; `secret` as for hash_key().
inline std::uint64_t hash_key(const CompactSession& c, std::uint64_t secret) {
  const std::uint64_t ports = std::uint64_t{c.src_port} << 16 | c.dst_port;
  const std::uint64_t rest =
      ports << 32 | std::uint64_t{c.zone} << 16 | std::uint64_t{c.protocol} << 8;
  return mixing::mix_key({std::uint64_t{c.src} << 32, 0, std::uint64_t{c.dst} << 32, 0}, rest,
                         secret);
}
inline std::uint64_t digest_key(const CompactSession& ipv4) {
  return hash_key(ipv4, mixing::kC);
}

// Of a session with nothing beside it.
inline std::uint64_t digest_session(std::uint64_t key_digest, const CompactSession& c) {
  const std::uint64_t ports = std::uint64_t{c.dst_port} << 16 | c.src_port;
  const std::uint64_t digest = mixing::mix_content(
      key_digest, {std::uint64_t{c.dst} << 32, 0, std::uint64_t{c.src} << 32, 0},
      ports << 32 | unpacked_status(c.status_and_state), std::uint64_t{c.mark} << 32 | c.timeout_s,
      std::uint64_t{c.status_and_state & 0x0fu} << 32 | std::uint64_t{c.tcp_flags_original} << 24 |
          std::uint64_t{c.tcp_flags_reply} << 16 |
          std::uint64_t{static_cast<std::uint8_t>(c.tcp_wscales >> 4)} << 8 |
          (c.tcp_wscales & 0x0fu));
  return digest != 0 ? digest : 1;
}

}  // namespace hotpair::dataplane
