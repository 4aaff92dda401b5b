// How keys and contents are mixed into one word: products of 64 bits, folded. Hash and digests are
// made of it, of a whole session (session_key.cpp) and of a compact one (compact_digest.hpp) alike.
#pragma once

#include <cstddef>
#include <cstdint>

#include "dataplane/core/session_tuple.hpp"
#include "platform/base/bytes.hpp"

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
inline Ends ends_of(const Address& src, const Address& dst) {
  const auto word = [](const Address& address, std::size_t at) {
    return load_be<std::uint64_t>(address.bytes.data() + at);
  };
  return {word(src, 0), word(src, 8), word(dst, 0), word(dst, 8)};
}

// The words that are mixed, of a whole session and of a compact one alike.
constexpr std::uint64_t ipv4_ends(std::uint32_t src, std::uint32_t dst) {
  return src | std::uint64_t{dst} << 32;
}
constexpr std::uint64_t key_rest(std::uint16_t src_port, std::uint16_t dst_port, std::uint16_t zone,
                                 std::uint8_t protocol, bool ipv6) {
  return src_port | std::uint64_t{dst_port} << 16 | std::uint64_t{zone} << 32 |
         std::uint64_t{protocol} << 48 | std::uint64_t{ipv6} << 56;
}
constexpr std::uint64_t values(std::uint32_t mark, std::uint32_t timeout_s) {
  return mark | std::uint64_t{timeout_s} << 32;
}
constexpr std::uint64_t bits(std::uint8_t status_and_state, std::uint8_t flags_original,
                             std::uint8_t flags_reply, std::uint8_t wscales) {
  return status_and_state | std::uint64_t{flags_original} << 8 | std::uint64_t{flags_reply} << 16 |
         std::uint64_t{wscales} << 24;
}

// Of IPv4 both addresses are one word. `rest` as below: it counts also where the addresses are such
// that the product is zero.
inline std::uint64_t mix_ipv4_key(std::uint64_t ends, std::uint64_t rest, std::uint64_t secret) {
  const std::uint64_t first = fold(ends ^ secret, rest ^ kA);
  return fold(first ^ rest * kB ^ kD, secret ^ kE);
}

// `rest`: ports, zone, protocol and family, in one word.
inline std::uint64_t mix_key(const Ends& ends, std::uint64_t rest, std::uint64_t secret) {
  const std::uint64_t high = fold(ends.src_high ^ secret, ends.dst_high ^ kA);
  const std::uint64_t low = fold(ends.src_low ^ secret ^ kB, ends.dst_low ^ kC);
  return fold(fold(high ^ low ^ kD, rest ^ secret ^ kE), secret ^ kA);
}

// `values`: timeout and mark; `bits`: status, and what only TCP has; `nat`: of the reply tuple, 0
// when it is the original reversed. Each step is folded with the key's digest, so that equal states
// of two sessions never cancel out.
inline std::uint64_t mix_content(std::uint64_t key_digest, std::uint64_t values, std::uint64_t bits,
                                 std::uint64_t nat) {
  const std::uint64_t first = fold(values ^ key_digest, bits ^ kB);
  return fold(first ^ nat ^ bits * kC ^ kD, key_digest ^ kE);
}

}  // namespace hotpair::dataplane::mixing
