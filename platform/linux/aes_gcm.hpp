// AES-256-GCM (NIST SP 800-38D) by Intel's IPsec Multi-Buffer library: one call a frame. OpenSSL
// goes through a dozen layers a frame, and they are cold each time a heartbeat is sealed.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "platform/base/bytes.hpp"
#include "platform/linux/crypto.hpp"

namespace hotpair::sys {

using Nonce96 = std::array<std::uint8_t, 12>;
constexpr std::size_t kGcmTagSize = 16;

// One key, ready for use: the key schedule is done once, a frame costs only its bytes. Not to be
// shared between threads. Never seal twice with one nonce.
class Aes256Gcm {
 public:
  explicit Aes256Gcm(const Key256& key);
  Aes256Gcm(Aes256Gcm&&) noexcept;
  Aes256Gcm& operator=(Aes256Gcm&&) noexcept;
  ~Aes256Gcm();

  // out: exactly plain.size() + kGcmTagSize bytes; may begin where `plain` begins.
  void seal(const Nonce96& nonce, Bytes aad, Bytes plain, MutableBytes out);
  // sealed: cipher text and tag; out: exactly sealed.size() - kGcmTagSize bytes. False when the tag
  // does not verify or `sealed` is shorter than a tag; `out` then holds nothing of use.
  [[nodiscard]] bool open(const Nonce96& nonce, Bytes aad, Bytes sealed, MutableBytes out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace hotpair::sys
