// What sessions are found by and compared by: the keyed hash of the index, the digest of the
// content, and the form a session takes before it enters a table (so that every field of it can be
// carried on the wire).
#pragma once

#include <cstdint>

#include "dataplane/core/session.hpp"

namespace hotpair::dataplane {

constexpr std::uint32_t kBuckets =
    4096;  // of the digest; 32 KiB of digests, 16 sessions of 65,536 each
constexpr std::uint8_t kProtocolTcp = 6, kProtocolUdp = 17, kProtocolIcmp = 1, kProtocolIcmpv6 = 58,
                       kProtocolDccp = 33, kProtocolGre = 47, kProtocolSctp = 132,
                       kProtocolUdplite = 136;

// The protocols with a state of their own in SessionState::tcp_state.
constexpr bool has_state(std::uint8_t protocol) {
  return protocol == kProtocolTcp || protocol == kProtocolSctp || protocol == kProtocolDccp;
}

// `session` without what is not replicated: status bits that are not carried, TCP fields of what is
// not TCP, the unused tail of IPv4 addresses, extras that say nothing. decode(encode(s)) == s holds
// for a normalised session.
Session normalised(const Session& session);
bool is_normalised(const Session& session);

// The parts of the state an update record carries; the others are carried by creates only.
bool same_rarely_changing(const SessionState& a, const SessionState& b);

// Keyed, because an attacker chooses ports and addresses: without the key nobody can make chains
// collide.
std::uint64_t hash_key(const SessionKey& key, std::uint64_t secret);

// Unkeyed and the same on both nodes, whatever their byte order.
std::uint64_t digest_key(const SessionKey& key);
constexpr std::uint32_t bucket_of(std::uint64_t key_digest) {
  return static_cast<std::uint32_t>(key_digest >> 52);
}
std::uint64_t digest_session(std::uint64_t key_digest, const Session& normalised);  // never 0
inline std::uint64_t digest_session(const Session& normalised) {
  return digest_session(digest_key(normalised.key), normalised);
}
// One step of a digest over words: every bit of either changes half of the result.
std::uint64_t mix_digest(std::uint64_t digest, std::uint64_t word);
static_assert(kBuckets == 1u << (64 - 52), "bucket_of yields one of kBuckets");

}  // namespace hotpair::dataplane
