#include "dataplane/core/session_key.hpp"

#include <algorithm>
#include <array>

#include "dataplane/core/compact_session.hpp"
#include "dataplane/core/extras_record.hpp"
#include "dataplane/core/mixing.hpp"
#include "platform/base/bytes.hpp"

namespace hotpair::dataplane {
namespace {

using namespace mixing;

std::uint64_t mix(const SessionKey& key, std::uint64_t secret) {
  const Tuple& t = key.original;
  const std::uint64_t rest = key_rest(t.src_port, t.dst_port, key.zone, key.protocol, key.ipv6);
  if (key.ipv6) return mix_key(ends_of(t.src, t.dst), rest, secret);
  return mix_ipv4_key(ipv4_ends(load_be<std::uint32_t>(t.src.bytes.data()),
                                load_be<std::uint32_t>(t.dst.bytes.data())),
                      rest, secret);
}

std::uint64_t mix_nat(const Tuple& reply, std::uint64_t key_digest) {
  return mix_key(ends_of(reply.src, reply.dst),
                 key_rest(reply.src_port, reply.dst_port, 0, 0, false), key_digest);
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

std::uint64_t digest_session(std::uint64_t key_digest, const Session& session) {
  const SessionState& state = session.state;
  const auto status_and_state =
      static_cast<std::uint8_t>(packed_status(state.status) | (state.tcp_state & 0x0fu));
  const auto wscales = static_cast<std::uint8_t>((state.tcp_wscale_original & 0x0fu) << 4 |
                                                 (state.tcp_wscale_reply & 0x0fu));
  std::uint64_t digest =
      mix_content(key_digest, values(state.mark, state.timeout_s),
                  bits(status_and_state, state.tcp_flags_original, state.tcp_flags_reply, wscales),
                  has_nat(session) ? mix_nat(state.reply, key_digest) : 0);
  if (state.extras) digest = mix_digest(digest, digest_extras(*state.extras));
  return digest != 0 ? digest : 1;
}

}  // namespace hotpair::dataplane
