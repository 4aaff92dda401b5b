#include "agent/daemon/peer_handshake.hpp"

#include "platform/linux/crypto.hpp"
#include "platform/linux/message_stream.hpp"

namespace hotpair::daemon {
namespace {

constexpr std::string_view kMagic = "HPPL";
constexpr std::uint8_t kVersion = 1;
constexpr Duration kStep = 3s;
constexpr std::size_t kMaxSentence = 1024;

using HandshakeNonce = std::array<std::uint8_t, 16>;
using Proof = std::array<std::uint8_t, 32>;
enum class Side : std::uint8_t { asks = 1, serves = 2 };

struct Hello {
  PeerService service = PeerService::exec;
  HandshakeNonce asker{}, server{};
};

Proof proof_of(const agent::Key& key, Side side, const Hello& hello) {
  std::array<std::uint8_t, 32> salt;
  std::copy(hello.asker.begin(), hello.asker.end(), salt.begin());
  std::copy(hello.server.begin(), hello.server.end(), salt.begin() + hello.asker.size());
  std::array<std::uint8_t, 64> info;
  ByteWriter writer(info);
  writer.put(kPeerLinkPurpose);
  writer.u8(static_cast<std::uint8_t>(side));
  writer.u8(static_cast<std::uint8_t>(hello.service));
  Proof proof;
  const auto done = sys::hkdf_sha256(key, salt, writer.written(), proof);
  HOTPAIR_ASSERT(done.ok() && !writer.failed());
  return proof;
}

Failure<Error> broken() {
  return fail_with("the peer's agent ended the handshake; see its log");
}

}  // namespace

Status ask_for(int socket, PeerService service, const PeerKeys& keys) {
  const auto known = keys.get();
  if (!known) return fail_with("the peer is not known yet; see 'hotpair status'");
  Hello hello{service, {}, {}};
  sys::random_bytes(hello.asker);
  std::array<std::uint8_t, 22> first;
  ByteWriter writer(first);
  writer.put(kMagic);
  writer.u8(kVersion);
  writer.u8(static_cast<std::uint8_t>(service));
  writer.put(Bytes(hello.asker));
  std::array<std::uint8_t, 1> verdict;
  Proof theirs;
  if (!sys::write_all(socket, first, kStep) || !sys::read_all(socket, hello.server, kStep) ||
      !sys::read_all(socket, theirs, kStep))
    return broken();
  if (!sys::equal_secrets(theirs, proof_of(known->receive, Side::serves, hello)))
    return fail_with("who answers there is not the peer's agent");
  if (!sys::write_all(socket, proof_of(known->send, Side::asks, hello), kStep) ||
      !sys::read_all(socket, verdict, kStep))
    return broken();
  if (verdict[0] == 0) return Ok{};
  std::array<std::uint8_t, 2> size;
  if (!sys::read_all(socket, size, kStep)) return broken();
  std::string why(std::min<std::size_t>(load_be<std::uint16_t>(size.data()), kMaxSentence), '\0');
  if (!sys::read_all(socket, {reinterpret_cast<std::uint8_t*>(why.data()), why.size()}, kStep))
    return broken();
  return fail_with(why);
}

Result<PeerService> recognise(int socket, const PeerKeys& keys) {
  std::array<std::uint8_t, 22> first;
  if (!sys::read_all(socket, first, kStep)) return fail_with("it said nothing");
  ByteReader reader(first);
  Hello hello;
  const Bytes magic = reader.take(kMagic.size());
  const std::uint8_t version = reader.u8(), service = reader.u8();
  reader.copy_to(hello.asker);
  if (!std::equal(magic.begin(), magic.end(), kMagic.begin()) || version != kVersion)
    return fail_with("it speaks another protocol");
  if (service < static_cast<std::uint8_t>(PeerService::exec) ||
      service > static_cast<std::uint8_t>(PeerService::upgrade))
    return fail_with("it asks for service " + std::to_string(service) + ", which is not known");
  hello.service = static_cast<PeerService>(service);
  const auto known = keys.get();
  if (!known) return fail_with("the peer is not known yet");
  sys::random_bytes(hello.server);
  Proof theirs;
  if (!sys::write_all(socket, hello.server, kStep) ||
      !sys::write_all(socket, proof_of(known->send, Side::serves, hello), kStep) ||
      !sys::read_all(socket, theirs, kStep))
    return fail_with("it went away");
  if (!sys::equal_secrets(theirs, proof_of(known->receive, Side::asks, hello)))
    return fail_with("it is not the peer's agent");
  return hello.service;
}

bool welcome(int socket) {
  return sys::write_all(socket, std::array<std::uint8_t, 1>{0}, kStep);
}

void refuse(int socket, std::string_view why) {
  std::array<std::uint8_t, 3 + kMaxSentence> answer;
  ByteWriter writer(answer);
  why = why.substr(0, kMaxSentence);
  writer.u8(1);
  writer.u16(static_cast<std::uint16_t>(why.size()));
  writer.put(why);
  (void)sys::write_all(socket, writer.written(), kStep);
}

}  // namespace hotpair::daemon
