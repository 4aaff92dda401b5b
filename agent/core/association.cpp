#include "agent/core/association.hpp"

#include <algorithm>

#include "agent/core/association_keys.hpp"
#include "agent/core/frame_header.hpp"
#include "platform/base/replay_window.hpp"
#include "platform/base/static_vector.hpp"

namespace hotpair::agent {
namespace {

constexpr Salt kNoSalt{};

// A candidate that answers none of this many greetings was a recording; a new greeting brings it
// back.
constexpr unsigned kGreetingsPerCandidate = 256;

struct Verified {
  std::size_t body_size = 0;
  PasswordId password = kNoPassword;
};

// The peer: whoever last proved that it knows our password and our present salt.
struct Peer {
  DirectionKeys rx;
  Key tx{};
  PasswordId password = kNoPassword;  // the one its last accepted frame was sealed with
  // One window a path, not one a key: the sender's counter rises for as long as its salt stands,
  // whatever password it seals with, so a counter seen once is never good again.
  std::array<ReplayWindow<4096>, kMaxPaths> windows{};
};

struct Candidate {
  Salt salt{};
  Key tx{};
  unsigned greetings_left = 0;
};

}  // namespace

struct Association::State {
  State(ChassisId id, std::uint16_t group_id, FrameCipher& frame_cipher)
      : self(id), group(group_id), cipher(frame_cipher) {}

  ChassisId self;
  std::uint16_t group;
  FrameCipher& cipher;
  Salt own{};
  std::optional<Key> greeting_key;
  std::optional<Peer> peer;
  std::optional<Candidate> candidate;
  StaticVector<Salt, kRetiredSalts> retired;
  UnknownKeys unknown;
  LoadedPasswords passwords{};
  PasswordId sealing = kNoPassword;  // one of `passwords`
  std::array<std::uint64_t, kMaxPaths> counters{};
  std::array<std::uint64_t, static_cast<std::size_t>(Rejection::count_)> rejected{};
  std::uint32_t generation = 0;

  void draw_salt();
  void load_passwords();
  int which(PasswordId id) const { return id != kNoPassword && id == passwords[1] ? 1 : 0; }
  Key tx_key(const Salt& echoed) {
    return cipher.derive(which(sealing), own, echoed, self, kHeartbeatPurpose);
  }
  std::optional<Verified> verify(const FrameHeader& h, Bytes frame, MutableBytes body,
                                 bool& throttled);
  std::optional<Verified> try_keys(DirectionKeys& keys, bool known, const FrameHeader& h,
                                   Bytes frame, MutableBytes body, bool& throttled);
  Failure<RejectedFrame> refuse(Rejection reason, std::uint32_t value = 0,
                                const std::optional<Verified>& proof = std::nullopt);
  Failure<RejectedFrame> refuse_mismatch(Rejection reason, std::uint32_t value,
                                         const FrameHeader& h, Bytes frame, MutableBytes body);
  std::optional<Rejection> misaddressed(const FrameHeader& h, PathId path,
                                        std::uint32_t& value) const;
  Result<OpenedFrame, RejectedFrame> accept(const FrameHeader& h, PathId path,
                                            const Verified& proof);
  bool associate(const FrameHeader& h, const Verified& proof);
  void retire(const Salt& salt);
  std::size_t seal_with(const Key& key, FrameKind kind, const Salt& echoed, PathId path, Bytes body,
                        MutableBytes out);
};

Association::Association(ChassisId self, std::uint16_t group, FrameCipher& cipher)
    : state_(std::make_unique<State>(self, group, cipher)) {
  state_->load_passwords();
  state_->draw_salt();
}
Association::~Association() = default;

void Association::State::load_passwords() {
  for (std::size_t i = 0; i < kPasswords; ++i)
    passwords[i] = cipher.password_id(static_cast<int>(i));
  if (std::ranges::find(passwords, sealing) == passwords.end() || sealing == kNoPassword)
    sealing = passwords[0];
}

void Association::State::draw_salt() {
  own = cipher.random_salt();
  greeting_key.reset();
  candidate.reset();
  unknown.clear();
  if (peer) {
    peer->rx = DirectionKeys{{peer->rx.direction.sender_salt, own, peer->rx.direction.sender}, {}};
    peer->tx = tx_key(peer->rx.direction.sender_salt);
  }
  ++generation;
}

Result<OpenedFrame, RejectedFrame> Association::open(PathId path, Bytes frame, MutableBytes body) {
  State& s = *state_;
  HOTPAIR_ASSERT(body.size() >= kMaxBodySize && path < kMaxPaths);
  if (frame.size() < kHeartbeatHeaderSize + kTagSize) return s.refuse(Rejection::too_short);
  if (frame.size() > kHeartbeatHeaderSize + kMaxBodySize + kTagSize)
    return s.refuse(Rejection::too_long);
  s.unknown.frame_seen();
  const FrameHeader h = parse_header(frame);
  if (!h.magic_ok) return s.refuse(Rejection::wrong_magic);
  if (h.version != kFrameVersion) return s.refuse(Rejection::wrong_version, h.version);
  if (!h.reserved_ok) return s.refuse(Rejection::reserved_bits);
  if (h.kind_of() != FrameKind::heartbeat && h.kind_of() != FrameKind::greeting)
    return s.refuse(Rejection::unknown_kind, h.kind);  // of a later version: skipped
  if (h.sender != 1 && h.sender != 2) return s.refuse(Rejection::bad_chassis_id, h.sender);
  if (h.sender_salt == s.own) return s.refuse(Rejection::own_frame);
  std::uint32_t value = 0;
  if (const auto reason = s.misaddressed(h, path, value))
    return s.refuse_mismatch(*reason, value, h, frame, body);
  if (std::ranges::find(s.retired, h.sender_salt) != s.retired.end())
    return s.refuse(Rejection::stale_salt);
  bool throttled = false;
  const auto proof = s.verify(h, frame, body, throttled);
  if (!proof) return s.refuse(throttled ? Rejection::throttled : Rejection::wrong_password);
  return s.accept(h, path, *proof);
}

std::optional<Rejection> Association::State::misaddressed(const FrameHeader& h, PathId path,
                                                          std::uint32_t& value) const {
  if (h.group != group) return value = h.group, Rejection::wrong_group;
  if (h.sender == static_cast<std::uint8_t>(self))
    return value = h.sender, Rejection::same_chassis_id;
  if (h.path != path) return value = h.path, Rejection::wrong_path;
  return std::nullopt;
}

Failure<RejectedFrame> Association::State::refuse(Rejection reason, std::uint32_t value,
                                                  const std::optional<Verified>& proof) {
  ++rejected[static_cast<std::size_t>(reason)];
  return fail(RejectedFrame{reason, proof.has_value(), proof ? proof->body_size : 0, value});
}

// Whether a misaddressed frame is a stranger's or our misconfigured peer's is told by the tag
// alone.
Failure<RejectedFrame> Association::State::refuse_mismatch(Rejection reason, std::uint32_t value,
                                                           const FrameHeader& h, Bytes frame,
                                                           MutableBytes body) {
  bool throttled = false;
  return refuse(reason, value, verify(h, frame, body, throttled));
}

std::optional<Verified> Association::State::verify(const FrameHeader& h, Bytes frame,
                                                   MutableBytes body, bool& throttled) {
  const Direction direction{h.sender_salt, h.echoed_salt, static_cast<ChassisId>(h.sender)};
  if (peer && peer->rx.direction == direction)
    return try_keys(peer->rx, true, h, frame, body, throttled);
  DirectionKeys* keys = unknown.find(direction);
  if (keys == nullptr) {
    throttled = true;
    return std::nullopt;
  }
  return try_keys(*keys, false, h, frame, body, throttled);
}

std::optional<Verified> Association::State::try_keys(DirectionKeys& keys, bool known,
                                                     const FrameHeader& h, Bytes frame,
                                                     MutableBytes body, bool& throttled) {
  const Nonce nonce = nonce_of(h.path, h.counter);
  const Bytes header = frame.first(kHeartbeatHeaderSize);
  const Bytes sealed = frame.subspan(kHeartbeatHeaderSize);
  const std::size_t body_size = sealed.size() - kTagSize;
  const std::size_t loaded = passwords[1] == kNoPassword ? 1 : kPasswords;
  for (std::size_t i = 0; i < loaded; ++i) {
    auto& key = keys.keys[i];
    if (!key) {
      if (!known && !unknown.may_derive()) {
        throttled = true;
        return std::nullopt;
      }
      const Direction& d = keys.direction;
      key = cipher.derive(static_cast<int>(i), d.sender_salt, d.echoed_salt, d.sender,
                          kHeartbeatPurpose);
    }
    if (cipher.open(*key, nonce, header, sealed, body.first(body_size)))
      return Verified{body_size, passwords[i]};
  }
  return std::nullopt;
}

Result<OpenedFrame, RejectedFrame> Association::State::accept(const FrameHeader& h, PathId path,
                                                              const Verified& proof) {
  const bool from_peer = peer && peer->rx.direction.sender_salt == h.sender_salt;
  if (h.echoed_salt != own) {
    // Authentic, but it may be a recording: all it can do is to be greeted, under the password that
    // it used itself and so can read.
    if (!from_peer && !(candidate && candidate->salt == h.sender_salt))
      candidate = Candidate{
          h.sender_salt,
          cipher.derive(which(proof.password), own, h.sender_salt, self, kHeartbeatPurpose),
          kGreetingsPerCandidate};
    return refuse(Rejection::not_echoed, h.sender, proof);
  }
  if (h.kind_of() != FrameKind::heartbeat) return refuse(Rejection::reserved_bits);
  const bool fresh = from_peer ? false : associate(h, proof);
  if (!peer->windows[path].accept(h.counter)) return refuse(Rejection::replayed);
  if (peer->password != proof.password) {
    peer->password = proof.password;
    ++generation;
  }
  return OpenedFrame{fresh, proof.body_size};
}

// A frame from a new salt echoes ours: its sender is there, now, and becomes the peer.
bool Association::State::associate(const FrameHeader& h, const Verified& proof) {
  if (peer) retire(peer->rx.direction.sender_salt);
  const Salt salt = h.sender_salt;
  peer.emplace();
  peer->rx.direction = {salt, own, static_cast<ChassisId>(h.sender)};
  peer->tx = tx_key(salt);
  peer->password = proof.password;
  candidate.reset();
  ++generation;
  return true;
}

void Association::State::retire(const Salt& salt) {
  if (retired.full()) {
    // A fresh salt of our own makes everything recorded so far worthless, so nothing need be
    // remembered. The peer whose frame brought us here goes on under its keys with the new one at
    // its next frames.
    retired.clear();
    peer.reset();
    draw_salt();
    return;
  }
  retired.push_back(salt);
}

std::size_t Association::seal(PathId path, Bytes body, MutableBytes out) {
  State& s = *state_;
  if (s.peer)
    return s.seal_with(s.peer->tx, FrameKind::heartbeat, s.peer->rx.direction.sender_salt, path,
                       body, out);
  if (!s.greeting_key) s.greeting_key = s.tx_key(kNoSalt);
  return s.seal_with(*s.greeting_key, FrameKind::greeting, kNoSalt, path, body, out);
}

std::optional<std::size_t> Association::greet(PathId path, Bytes body, MutableBytes out) {
  State& s = *state_;
  if (!s.candidate) return std::nullopt;
  const Candidate candidate = *s.candidate;
  if (--s.candidate->greetings_left == 0) s.candidate.reset();
  return s.seal_with(candidate.tx, FrameKind::heartbeat, candidate.salt, path, body, out);
}

std::size_t Association::State::seal_with(const Key& key, FrameKind kind, const Salt& echoed,
                                          PathId path, Bytes body, MutableBytes out) {
  HOTPAIR_ASSERT(path < kMaxPaths && body.size() <= kMaxBodySize);
  const std::size_t size = kHeartbeatHeaderSize + body.size() + kTagSize;
  HOTPAIR_ASSERT(out.size() >= size);
  FrameHeader h;
  h.kind = static_cast<std::uint8_t>(kind);
  h.group = group;
  h.sender = static_cast<std::uint8_t>(self);
  h.path = path;
  h.sender_salt = own;
  h.echoed_salt = echoed;
  h.counter = ++counters[path];
  write_header(h, out);
  cipher.seal(key, nonce_of(path, h.counter), out.first(kHeartbeatHeaderSize), body,
              out.subspan(kHeartbeatHeaderSize, body.size() + kTagSize));
  return size;
}

std::optional<std::size_t> Association::inspect(Bytes frame, MutableBytes body) {
  State& s = *state_;
  HOTPAIR_ASSERT(body.size() >= kMaxBodySize);
  if (frame.size() < kHeartbeatHeaderSize + kTagSize ||
      frame.size() > kHeartbeatHeaderSize + kMaxBodySize + kTagSize)
    return std::nullopt;
  s.unknown.frame_seen();
  const FrameHeader h = parse_header(frame);
  if (!h.magic_ok || h.version != kFrameVersion || !h.reserved_ok || h.sender_salt == s.own ||
      (h.sender != 1 && h.sender != 2))
    return std::nullopt;
  bool throttled = false;
  const auto proof = s.verify(h, frame, body, throttled);
  if (!proof) return std::nullopt;
  return proof->body_size;
}

void Association::count(Rejection reason) {
  HOTPAIR_ASSERT(reason < Rejection::count_);
  ++state_->rejected[static_cast<std::size_t>(reason)];
}

void Association::passwords_changed() {
  State& s = *state_;
  s.load_passwords();
  s.greeting_key.reset();
  s.candidate.reset();
  s.unknown.clear();
  if (s.peer) {
    s.peer->rx.keys = {};
    s.peer->tx = s.tx_key(s.peer->rx.direction.sender_salt);
  }
  ++s.generation;
}

bool Association::use_password(PasswordId id) {
  State& s = *state_;
  if (id == kNoPassword || std::ranges::find(s.passwords, id) == s.passwords.end()) return false;
  if (s.sealing == id) return true;
  s.sealing = id;
  s.greeting_key.reset();
  if (s.peer) s.peer->tx = s.tx_key(s.peer->rx.direction.sender_salt);
  ++s.generation;
  return true;
}

const LoadedPasswords& Association::passwords() const {
  return state_->passwords;
}

bool Association::established() const {
  return state_->peer.has_value();
}

std::uint32_t Association::generation() const {
  return state_->generation;
}

Key Association::derive(std::string_view purpose, ChassisId sender) const {
  State& s = *state_;
  HOTPAIR_ASSERT(s.peer.has_value());
  const Salt& theirs = s.peer->rx.direction.sender_salt;
  // Each end seals with the password it uses, which during a rotation need not be the same one.
  if (sender == s.self) return s.cipher.derive(s.which(s.sealing), s.own, theirs, sender, purpose);
  return s.cipher.derive(s.which(s.peer->password), theirs, s.own, sender, purpose);
}

std::optional<ChannelKeys> Association::channel(std::string_view purpose) const {
  const State& s = *state_;
  if (!s.peer) return std::nullopt;
  return ChannelKeys{s.own, s.peer->rx.direction.sender_salt, derive(purpose, s.self),
                     derive(purpose, other(s.self))};
}

const std::array<std::uint64_t, static_cast<std::size_t>(Rejection::count_)>&
Association::rejected() const {
  return state_->rejected;
}

}  // namespace hotpair::agent
