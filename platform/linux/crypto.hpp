// Keys and what they are made of, by OpenSSL 3: scrypt (RFC 7914), HKDF-SHA256 (RFC 5869), SHA-256
// and random bytes. Key material is wiped when its owner is destroyed. Sealing is in aes_gcm.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "platform/base/bytes.hpp"
#include "platform/base/result.hpp"

namespace hotpair::sys {

using Key256 = std::array<std::uint8_t, 32>;

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

}  // namespace hotpair::sys
