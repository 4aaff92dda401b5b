#include "dataplane/core/session_key.hpp"

#include <algorithm>
#include <array>

#include "dataplane/core/extras_record.hpp"
#include "platform/base/bytes.hpp"

namespace hotpair::dataplane {
namespace {

__extension__ typedef unsigned __int128 Wide;

// The product of two words, folded: every bit of the result depends on every bit of both.
std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

// Odd words with balanced bits, drawn once; any such would do.
constexpr std::uint64_t kA = 0x8f3a5c9d1e7b4263, kB = 0xd1b54a32d192ed03, kC = 0xaef17502108ef2d9,
                        kD = 0x6c8e9cf570932bd5, kE = 0xb7e151628aed2a6b;

struct Ends {
  std::uint64_t src_high, src_low, dst_high, dst_low;
};
Ends ends_of(const Tuple& t) {
  return {
      load_be<std::uint64_t>(t.src.bytes.data()), load_be<std::uint64_t>(t.src.bytes.data() + 8),
      load_be<std::uint64_t>(t.dst.bytes.data()), load_be<std::uint64_t>(t.dst.bytes.data() + 8)};
}
std::uint64_t ports_of(const Tuple& t) {
  return (std::uint64_t{t.src_port} << 16) | t.dst_port;
}

std::uint64_t mix_key(const SessionKey& key, std::uint64_t secret) {
  const Ends ends = ends_of(key.original);
  const std::uint64_t rest = (ports_of(key.original) << 32) | (std::uint64_t{key.zone} << 16) |
                             (std::uint64_t{key.protocol} << 8) | (key.ipv6 ? 1u : 0u);
  const std::uint64_t high = fold(ends.src_high ^ secret, ends.dst_high ^ kA);
  const std::uint64_t low = fold(ends.src_low ^ secret ^ kB, ends.dst_low ^ kC);
  return fold(fold(high ^ low ^ kD, rest ^ secret ^ kE), secret ^ kA);
}

void clear_tail(Address& address) {
  std::fill(address.bytes.begin() + 4, address.bytes.end(), std::uint8_t{0});
}
void clear_tails(Tuple& tuple) {
  clear_tail(tuple.src);
  clear_tail(tuple.dst);
}

void normalise_extras(Session& s) {
  Extras extras = normalised(*s.state.extras, s.key);
  if (extras != *s.state.extras) s.state.extras = SharedExtras::of(std::move(extras));
}

}  // namespace

Session normalised(const Session& session) {
  Session s = session;
  if (!s.key.ipv6) {
    clear_tails(s.key.original);
    clear_tails(s.state.reply);
  }
  s.state.status &= kCarriedStatus;
  if (s.key.protocol != kProtocolTcp) {
    if (!has_state(s.key.protocol)) s.state.tcp_state = 0;
    s.state.tcp_flags_original = s.state.tcp_flags_reply = 0;
    s.state.tcp_wscale_original = s.state.tcp_wscale_reply = 0;
  }
  s.state.tcp_state &= 0x0f;
  s.state.tcp_wscale_original &= 0x0f;
  s.state.tcp_wscale_reply &= 0x0f;
  if (s.state.extras) normalise_extras(s);
  return s;
}

bool is_normalised(const Session& session) {
  return normalised(session) == session;
}

bool same_rarely_changing(const SessionState& a, const SessionState& b) {
  return a.reply == b.reply && a.mark == b.mark && a.tcp_wscale_original == b.tcp_wscale_original &&
         a.tcp_wscale_reply == b.tcp_wscale_reply && a.extras == b.extras;
}

std::uint32_t hash_key(const SessionKey& key, std::uint64_t secret) {
  return static_cast<std::uint32_t>(mix_key(key, secret) >> 32);
}

std::uint64_t digest_key(const SessionKey& key) {
  return mix_key(key, kC);
}

std::uint64_t mix_digest(std::uint64_t digest, std::uint64_t word) {
  return fold(digest ^ word ^ kA, (word * kC) ^ kE) + kB * word;
}

std::uint64_t digest_session(std::uint64_t key_digest, const SessionState& state) {
  const Ends ends = ends_of(state.reply);
  const std::uint64_t bits = (ports_of(state.reply) << 32) | state.status;
  const std::uint64_t values = (std::uint64_t{state.mark} << 32) | state.timeout_s;
  const std::uint64_t tcp =
      (std::uint64_t{state.tcp_state} << 32) | (std::uint64_t{state.tcp_flags_original} << 24) |
      (std::uint64_t{state.tcp_flags_reply} << 16) |
      (std::uint64_t{state.tcp_wscale_original} << 8) | state.tcp_wscale_reply;
  // Each pair is folded with the key's digest, so equal states of two sessions never cancel out.
  const std::uint64_t high = fold(ends.src_high ^ key_digest, ends.dst_high ^ kB);
  const std::uint64_t low = fold(ends.src_low ^ key_digest ^ kC, ends.dst_low ^ kD);
  const std::uint64_t rest = fold(bits ^ key_digest ^ kE, values ^ kA);
  std::uint64_t digest = fold(high ^ (low + kB) ^ (rest * kC), tcp ^ key_digest ^ kD);
  if (state.extras) digest = mix_digest(digest, digest_extras(*state.extras));
  return digest != 0 ? digest : 1;
}

}  // namespace hotpair::dataplane
