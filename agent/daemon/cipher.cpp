#include "agent/daemon/cipher.hpp"

#include <algorithm>

namespace hotpair::daemon {
namespace {

// Fixed, because both nodes must arrive at one key from the password alone; the salts of the
// handshake make each run's keys its own.
constexpr std::string_view kScryptSalt = "hotpair heartbeat master key, 1";
constexpr std::uint64_t kScryptN = 1 << 15;
constexpr std::uint32_t kScryptR = 8, kScryptP = 1;
constexpr std::size_t kMaxPurpose = 256;
constexpr std::string_view kIdPurpose = "hotpair password id";

Bytes bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// Guessing a password by its id costs a scrypt a guess, as by any heartbeat that was recorded.
agent::PasswordId id_of(const sys::SecretKey& master) {
  std::array<std::uint8_t, 8> id;
  const auto done =
      sys::hkdf_sha256(master.bytes(), bytes_of(kScryptSalt), bytes_of(kIdPurpose), id);
  HOTPAIR_ASSERT(done.ok());
  const auto number = load_be<agent::PasswordId>(id.data());
  return number == agent::kNoPassword ? 1 : number;
}

}  // namespace

Result<std::unique_ptr<PasswordCipher>> PasswordCipher::create(const config::Passwords& passwords) {
  auto cipher = std::make_unique<PasswordCipher>();
  std::vector<const std::string*> texts{&passwords.current};
  if (passwords.next) texts.push_back(&*passwords.next);
  for (const std::string* text : texts) {
    sys::SecretKey master;
    if (auto done =
            sys::scrypt(*text, bytes_of(kScryptSalt), kScryptN, kScryptR, kScryptP, master.bytes());
        !done)
      return Failure<Error>{done.error()};
    cipher->ids_[cipher->masters_.size()] = id_of(master);
    cipher->masters_.push_back(master);
  }
  return cipher;
}

bool PasswordCipher::adopt(const PasswordCipher& other) {
  const auto same = [](const sys::SecretKey& a, const sys::SecretKey& b) {
    return a.bytes() == b.bytes();
  };
  if (std::equal(masters_.begin(), masters_.end(), other.masters_.begin(), other.masters_.end(),
                 same))
    return false;
  masters_ = other.masters_;
  ids_ = other.ids_;
  ready_.clear();
  return true;
}

agent::PasswordId PasswordCipher::password_id(int which) const {
  return ids_.at(static_cast<std::size_t>(which));
}

agent::Key PasswordCipher::derive(int which, const agent::Salt& sender_salt,
                                  const agent::Salt& echoed_salt, agent::ChassisId sender,
                                  std::string_view purpose) {
  HOTPAIR_ASSERT(which >= 0 && static_cast<std::size_t>(which) < masters_.size());
  HOTPAIR_ASSERT(purpose.size() <= kMaxPurpose);
  std::array<std::uint8_t, 32> salts;
  std::copy(sender_salt.begin(), sender_salt.end(), salts.begin());
  std::copy(echoed_salt.begin(), echoed_salt.end(), salts.begin() + sender_salt.size());
  std::array<std::uint8_t, kMaxPurpose + 1> info;
  ByteWriter writer(info);
  writer.put(purpose);
  writer.u8(static_cast<std::uint8_t>(sender));
  agent::Key key;
  const auto done = sys::hkdf_sha256(masters_[static_cast<std::size_t>(which)].bytes(), salts,
                                     writer.written(), key);
  HOTPAIR_ASSERT(done.ok());
  return key;
}

sys::Aes256Gcm& PasswordCipher::ready(const agent::Key& key) {
  const auto known = std::find_if(ready_.begin(), ready_.end(),
                                  [&](const Ready& r) { return r.key.bytes() == key; });
  if (known != ready_.end()) {
    ready_.splice(ready_.begin(), ready_, known);
  } else {
    if (ready_.size() == kReadyKeys) ready_.pop_back();
    ready_.push_front({sys::SecretKey(key), sys::Aes256Gcm(key)});
  }
  return ready_.front().gcm;
}

void PasswordCipher::seal(const agent::Key& key, const agent::Nonce& nonce, Bytes header,
                          Bytes body, MutableBytes out) {
  ready(key).seal(nonce, header, body, out.first(body.size() + sys::kGcmTagSize));
}

bool PasswordCipher::open(const agent::Key& key, const agent::Nonce& nonce, Bytes header,
                          Bytes sealed, MutableBytes out) {
  if (sealed.size() < sys::kGcmTagSize) return false;
  return ready(key).open(nonce, header, sealed, out.first(sealed.size() - sys::kGcmTagSize));
}

agent::Salt PasswordCipher::random_salt() {
  agent::Salt salt;
  sys::random_bytes(salt);
  return salt;
}

}  // namespace hotpair::daemon
