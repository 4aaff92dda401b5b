// How keys and contents are mixed into one word: products of 64 bits, folded. Hash and digests are
// made of it, of a whole session (session_key.cpp) and of a compact one (compact_digest.hpp) alike.
#pragma once

#include <cstdint>

namespace hotpair::dataplane::mixing {

__extension__ typedef unsigned __int128 Wide;

// The product of two words, folded: every bit of the result depends on every bit of both.
inline std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// Odd words with balanced bits, drawn once; any such would do.
constexpr std::uint64_t kA = 0x8f3a5c9d1e7b4263, kB = 0xd1b54a32d192ed03, kC = 0xaef17502108ef2d9,
                        kD = 0x6c8e9cf570932bd5, kE = 0xb7e151628aed2a6b;

struct Ends {  // both addresses, as four words
  std::uint64_t src_high, src_low, dst_high, dst_low;
};

// `rest`: ports, zone, protocol and family, in one word.
inline std::uint64_t mix_key(const Ends& ends, std::uint64_t rest, std::uint64_t secret) {
  const std::uint64_t high = fold(ends.src_high ^ secret, ends.dst_high ^ kA);
  const std::uint64_t low = fold(ends.src_low ^ secret ^ kB, ends.dst_low ^ kC);
  return fold(fold(high ^ low ^ kD, rest ^ secret ^ kE), secret ^ kA);
}

// `bits`: ports of the reply and status; `values`: mark and timeout; `tcp`: what only TCP has.
inline std::uint64_t mix_content(std::uint64_t key_digest, const Ends& reply, std::uint64_t bits,
                                 std::uint64_t values, std::uint64_t tcp) {
  // Each pair is folded with the key's digest, so equal states of two sessions never cancel out.
  const std::uint64_t high = fold(reply.src_high ^ key_digest, reply.dst_high ^ kB);
  const std::uint64_t low = fold(reply.src_low ^ key_digest ^ kC, reply.dst_low ^ kD);
  const std::uint64_t rest = fold(bits ^ key_digest ^ kE, values ^ kA);
  return fold(high ^ (low + kB) ^ (rest * kC), tcp ^ key_digest ^ kD);
}

}  // namespace hotpair::dataplane::mixing
