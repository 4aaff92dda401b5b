// Who may speak: the handshake of salts, the keys that follow from them, and the replay windows;
// pure, with the cipher handed in. Turns received bytes into an authenticated body or a counted,
// named rejection.
//
// Every start of an agent draws a fresh 16-byte salt. A frame names its sender's salt and echoes
// the receiver's; the key of a direction is derived from the password and both salts, so what was
// recorded before either end's start never verifies as current. A frame whose echo is still empty
// (a greeting) is authenticated but proves no freshness: it only makes its sender's salt a
// candidate to be greeted back. A candidate becomes the peer when a frame from it echoes our own
// salt. Salts that were replaced are remembered and refused; when that memory (kRetiredSalts) is
// full we draw a new salt ourselves.
//
// Frame: clear header (WIRE.md), sealed body, 16-byte tag. All of the header is authenticated.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "agent/core/password_rotation.hpp"
#include "agent/core/types.hpp"
#include "platform/base/bytes.hpp"
#include "platform/base/result.hpp"

namespace hotpair::agent {

using Salt = std::array<std::uint8_t, 16>;
using Key = std::array<std::uint8_t, 32>;
using Nonce = std::array<std::uint8_t, 12>;

constexpr std::size_t kTagSize = 16;
constexpr std::size_t kMaxBodySize = 1400;
constexpr std::size_t kRetiredSalts = 64;

// AES-256-GCM and HKDF, implemented by the daemon (cipher.hpp) and by a toy in the simulation.
class FrameCipher {
 public:
  virtual ~FrameCipher() = default;
  // HKDF(master secret of password `which` (0 current, 1 next), salts, sender) -> key of that
  // direction.
  virtual Key derive(int which, const Salt& sender_salt, const Salt& echoed_salt, ChassisId sender,
                     std::string_view purpose) = 0;
  // kNoPassword for a `which` that is not loaded.
  virtual PasswordId password_id(int which) const = 0;
  // out: body.size() + kTagSize bytes.
  virtual void seal(const Key& key, const Nonce& nonce, Bytes header, Bytes body,
                    MutableBytes out) = 0;
  // sealed includes the tag; out: sealed.size() - kTagSize bytes; false when the tag does not
  // verify.
  virtual bool open(const Key& key, const Nonce& nonce, Bytes header, Bytes sealed,
                    MutableBytes out) = 0;
  virtual Salt random_salt() = 0;
};

enum class Rejection : std::uint8_t {
  too_short,
  too_long,
  wrong_magic,
  wrong_version,
  wrong_group,
  reserved_bits,
  own_frame,
  same_chassis_id,
  bad_chassis_id,
  wrong_path,
  wrong_password,
  stale_salt,
  not_echoed,
  replayed,
  malformed_body,
  wrong_vlan,
  untagged,
  wrong_ethertype,
  throttled,  // from a salt never seen, while too many such arrive to derive a key for each
  unknown_kind,
  count_,
};
std::string_view to_string(Rejection rejection);

struct OpenedFrame {
  bool new_association = false;
  std::size_t body_size = 0;
};

// What two ends share for another channel: both present salts, and a key for each direction.
struct ChannelKeys {
  Salt own{}, peers{};
  Key send{}, receive{};
  friend bool operator==(const ChannelKeys&, const ChannelKeys&) = default;
};

struct RejectedFrame {
  Rejection reason = Rejection::too_short;
  bool proven = false;  // it verified under our password all the same
  std::size_t body_size =
      0;                    // proven: `body` holds what it says; never act on it as on a heartbeat
  std::uint32_t value = 0;  // the group, version, chassis or path that it named
};

class Association {
 public:
  Association(ChassisId self, std::uint16_t group, FrameCipher& cipher);
  ~Association();

  // Reads one frame as received on `path`. Cheap checks first; nothing behind the header is read
  // before the tag verified. `body` has room for kMaxBodySize.
  Result<OpenedFrame, RejectedFrame> open(PathId path, Bytes frame, MutableBytes body);

  // Seals `body` for `path`; returns the frame's size. `out` has room for header + body + tag.
  // Until the peer is proven, frames are greetings. While a candidate is being proven, greet()
  // seals a second frame addressed to it. Counters are per path and never repeat under a key.
  std::size_t seal(PathId path, Bytes body, MutableBytes out);
  std::optional<std::size_t> greet(PathId path, Bytes body, MutableBytes out);

  // For frames that the shell refuses before open() (wrong VLAN, ethertype): does it verify under
  // our password? Reads it into `body` and changes nothing that decides later frames.
  std::optional<std::size_t> inspect(Bytes frame, MutableBytes body);
  // The shell's own refusals, counted with the others.
  void count(Rejection reason);
  // The password file was read anew: keys are derived again, salts and windows stay. What is sealed
  // with stays the same password where it is still loaded, else becomes the first.
  void passwords_changed();
  // Seals with that one of the loaded passwords from now on; both are accepted as ever. False: it
  // is not loaded.
  bool use_password(PasswordId id);
  const LoadedPasswords& passwords() const;

  bool established() const;
  // Rises whenever derive() would answer differently for either direction.
  std::uint32_t generation() const;
  // A key for another purpose (session sync), bound to both current salts and an extra nonce;
  // established only.
  Key derive(std::string_view purpose, ChassisId sender) const;
  // Both directions of a channel of its own; none before the peer is proven. They change with
  // generation().
  std::optional<ChannelKeys> channel(std::string_view purpose) const;
  const std::array<std::uint64_t, static_cast<std::size_t>(Rejection::count_)>& rejected() const;

  static constexpr std::size_t header_size();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

constexpr std::size_t kHeartbeatHeaderSize = 64;
constexpr std::size_t Association::header_size() {
  return kHeartbeatHeaderSize;
}

}  // namespace hotpair::agent
