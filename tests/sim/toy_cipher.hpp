// Stands in for AES-GCM and HKDF where speed and repeatability matter and secrecy does not: frames
// stay readable, but a frame that was not sealed with the same password and salts does not open.
#pragma once

#include <string>

#include "agent/core/association.hpp"
#include "platform/base/rng.hpp"

namespace hotpair::simulation {

class ToyCipher final : public agent::FrameCipher {
 public:
  ToyCipher(std::string password, Rng rng) : password_(std::move(password)), rng_(rng) {}

  agent::Key derive(int which, const agent::Salt& sender_salt, const agent::Salt& echoed_salt,
                    agent::ChassisId sender, std::string_view purpose) override;
  agent::PasswordId password_id(int which) const override;
  void seal(const agent::Key& key, const agent::Nonce& nonce, Bytes header, Bytes body,
            MutableBytes out) override;
  bool open(const agent::Key& key, const agent::Nonce& nonce, Bytes header, Bytes sealed,
            MutableBytes out) override;
  agent::Salt random_salt() override;

  void set_passwords(std::string current, std::string next) {
    password_ = std::move(current);
    next_password_ = std::move(next);
  }
  int derivations() const { return derivations_; }

 private:
  std::string password_, next_password_;
  Rng rng_;
  int derivations_ = 0;
};

}  // namespace hotpair::simulation
