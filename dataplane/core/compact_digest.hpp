// Hash and digests of compact sessions, without making whole ones of them: the same values as
// session_key.hpp's.
#pragma once

#include <bit>
#include <cstddef>
#include <cstring>

#include "dataplane/core/compact_session.hpp"
#include "dataplane/core/mixing.hpp"

namespace hotpair::dataplane {

// The key of IPv4 as two words, the second without what says how the session is kept. On most
// machines they lie in memory as they are; whoever wrote the session field by field just now waits
// for them, so hashes are made in loops of their own.
struct KeyWords {
  std::uint64_t ends, rest;

  explicit KeyWords(const CompactSession& c) {
    if constexpr (std::endian::native == std::endian::little) {
      static_assert(offsetof(CompactSession, src_port) == 8 &&
                    offsetof(CompactSession, form) == 15);
      std::memcpy(this, &c, sizeof *this);
      rest &= ~std::uint64_t{0} >> 8;
    } else {
      ends = mixing::ipv4_ends(c.src, c.dst);
      rest = mixing::key_rest(c.src_port, c.dst_port, c.zone, c.protocol, false);
    }
  }
};

// Of an IPv4 key; `secret` as for hash_key().
inline std::uint64_t hash_key(const CompactSession& c, std::uint64_t secret) {
  const KeyWords words(c);
  return mixing::mix_ipv4_key(words.ends, words.rest, secret);
}
// Of an IPv6 key, whose addresses stand beside it.
inline std::uint64_t hash_key(const CompactSession& c, const Address& src, const Address& dst,
                              std::uint64_t secret) {
  return mixing::mix_key(mixing::ends_of(src, dst),
                         mixing::key_rest(c.src_port, c.dst_port, c.zone, c.protocol, true),
                         secret);
}
inline std::uint64_t digest_key(const CompactSession& ipv4) {
  return hash_key(ipv4, mixing::kC);
}

// Of a session with at most addresses beside it, by its key's digest, its mark, timeout and
// changing_bits().
inline std::uint64_t digest_session(std::uint64_t key_digest, std::uint32_t mark,
                                    std::uint32_t timeout_s, std::uint32_t bits) {
  const std::uint64_t digest =
      mixing::mix_content(key_digest, mixing::values(mark, timeout_s), bits, 0);
  return digest != 0 ? digest : 1;
}
inline std::uint64_t digest_session(std::uint64_t key_digest, const CompactSession& s) {
  return digest_session(key_digest, s.mark, s.timeout_s, changing_bits(s));
}

}  // namespace hotpair::dataplane
