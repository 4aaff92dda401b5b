// The cryptography of the house, by OpenSSL 3: scrypt (RFC 7914), HKDF-SHA256 (RFC 5869),
// AES-256-GCM (NIST SP 800-38D) and random bytes. Key material is wiped when its owner is
// destroyed.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include "platform/base/bytes.hpp"
#include "platform/base/result.hpp"

namespace hotpair::sys {

using Key256 = std::array<std::uint8_t, 32>;
using Nonce96 = std::array<std::uint8_t, 12>;
constexpr std::size_t kGcmTagSize = 16;

// Overwrites memory in a way the compiler cannot remove.
void wipe(MutableBytes secret);

// A key that is wiped at the end of its life.
class SecretKey {
 public:
  SecretKey() = default;
  explicit SecretKey(const Key256& key) : bytes_(key) {}
  SecretKey(const SecretKey&) = default;
  SecretKey& operator=(const SecretKey&) = default;
  ~SecretKey() { wipe(bytes_); }

  const Key256& bytes() const { return bytes_; }
  Key256& bytes() { return bytes_; }

 private:
  Key256 bytes_{};
};

// From the kernel's generator. Ends the process when it has none: there is no safe way to go on.
void random_bytes(MutableBytes out);

// Costs 128 * n * r bytes of memory and some 0.1 s at n = 2^15, r = 8. `n` is a power of two.
Status scrypt(std::string_view password, Bytes salt, std::uint64_t n, std::uint32_t r,
              std::uint32_t p, MutableBytes out);

// `out` is at most 255 * 32 bytes, `info` at most 1024.
Status hkdf_sha256(Bytes secret, Bytes salt, Bytes info, MutableBytes out);

std::array<std::uint8_t, 32> sha256(Bytes data);

// In a time that does not tell where they differ.
bool equal_secrets(Bytes a, Bytes b);

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
