// The association's cipher: AES-256-GCM under keys from scrypt and HKDF-SHA256.
//
// The passwords are stretched once, at start, and not kept. Key schedules of the last few keys are
// kept ready, so a heartbeat costs its bytes only. Not thread-safe: whoever shares the association
// holds its lock.
#pragma once

#include <list>
#include <memory>
#include <vector>

#include "agent/core/association.hpp"
#include "platform/base/result.hpp"
#include "platform/config/config.hpp"
#include "platform/linux/aes_gcm.hpp"

namespace hotpair::daemon {

class PasswordCipher : public agent::FrameCipher {
 public:
  // Takes some 0.1 s a password (scrypt, N = 2^15).
  static Result<std::unique_ptr<PasswordCipher>> create(const config::Passwords& passwords);

  // Takes over the passwords of `other`; false when they are the same.
  bool adopt(const PasswordCipher& other);

  agent::Key derive(int which, const agent::Salt& sender_salt, const agent::Salt& echoed_salt,
                    agent::ChassisId sender, std::string_view purpose) override;
  agent::PasswordId password_id(int which) const override;
  void seal(const agent::Key& key, const agent::Nonce& nonce, Bytes header, Bytes body,
            MutableBytes out) override;
  bool open(const agent::Key& key, const agent::Nonce& nonce, Bytes header, Bytes sealed,
            MutableBytes out) override;
  agent::Salt random_salt() override;

 private:
  // Ours, the peer's, the greetings' of both passwords, and a candidate's: eight serve them all.
  static constexpr std::size_t kReadyKeys = 8;
  struct Ready {
    sys::SecretKey key;
    sys::Aes256Gcm gcm;
  };
  sys::Aes256Gcm& ready(const agent::Key& key);

  std::vector<sys::SecretKey> masters_;  // in the order of the password file
  agent::LoadedPasswords ids_{};
  std::list<Ready> ready_;  // most recently used first
};

}  // namespace hotpair::daemon
