#include "dataplane/core/session_key.hpp"

#include <algorithm>
#include <array>

#include "dataplane/core/extras_record.hpp"
#include "dataplane/core/mixing.hpp"
#include "platform/base/bytes.hpp"

namespace hotpair::dataplane {
namespace {

using namespace mixing;

Ends ends_of(const Tuple& t) {
  return {
      load_be<std::uint64_t>(t.src.bytes.data()), load_be<std::uint64_t>(t.src.bytes.data() + 8),
      load_be<std::uint64_t>(t.dst.bytes.data()), load_be<std::uint64_t>(t.dst.bytes.data() + 8)};
}
std::uint64_t ports_of(const Tuple& t) {
  return (std::uint64_t{t.src_port} << 16) | t.dst_port;
}

std::uint64_t mix(const SessionKey& key, std::uint64_t secret) {
  const std::uint64_t rest = (ports_of(key.original) << 32) | (std::uint64_t{key.zone} << 16) |
                             (std::uint64_t{key.protocol} << 8) | (key.ipv6 ? 1u : 0u);
  return mix_key(ends_of(key.original), rest, secret);
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

std::uint64_t hash_key(const SessionKey& key, std::uint64_t secret) {
  return mix(key, secret);
}

std::uint64_t digest_key(const SessionKey& key) {
  return mix(key, kC);
}

std::uint64_t mix_digest(std::uint64_t digest, std::uint64_t word) {
  return fold(digest ^ word ^ kA, (word * kC) ^ kE) + kB * word;
}

std::uint64_t digest_session(std::uint64_t key_digest, const SessionState& state) {
  const std::uint64_t bits = (ports_of(state.reply) << 32) | state.status;
  const std::uint64_t values = (std::uint64_t{state.mark} << 32) | state.timeout_s;
  const std::uint64_t tcp =
      (std::uint64_t{state.tcp_state} << 32) | (std::uint64_t{state.tcp_flags_original} << 24) |
      (std::uint64_t{state.tcp_flags_reply} << 16) |
      (std::uint64_t{state.tcp_wscale_original} << 8) | state.tcp_wscale_reply;
  std::uint64_t digest = mix_content(key_digest, ends_of(state.reply), bits, values, tcp);
  if (state.extras) digest = mix_digest(digest, digest_extras(*state.extras));
  return digest != 0 ? digest : 1;
}

}  // namespace hotpair::dataplane
