// Reading the configuration and the password again, away from the main loop: files, YAML and the
// stretching of a password take longer than the peer's patience.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/daemon/cipher.hpp"
#include "platform/config/config.hpp"

namespace hotpair::daemon {

// Tells whether passwords were changed without keeping them.
using PasswordDigest = std::array<std::uint8_t, 32>;
PasswordDigest digest_of(const config::Passwords& passwords);

struct Reloaded {
  config::Config config;
  PasswordDigest password_digest{};
  std::unique_ptr<PasswordCipher> cipher;  // null: the passwords are the same
};

// All that is wrong, each a sentence; nothing is in force then.
using ReloadProblems = std::vector<std::string>;

Result<Reloaded, ReloadProblems> read_again(const std::string& config_dir,
                                            const config::Config& running,
                                            const PasswordDigest& known);

}  // namespace hotpair::daemon
