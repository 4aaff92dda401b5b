#include "platform/linux/crypto.hpp"

#include <cerrno>
#include <memory>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <sys/random.h>

#include "platform/base/assert.hpp"

namespace hotpair::sys {
namespace {

struct FreeContext {
  void operator()(EVP_KDF_CTX* c) const { EVP_KDF_CTX_free(c); }
  void operator()(EVP_KDF* k) const { EVP_KDF_free(k); }
};

// OpenSSL takes parameters through pointers to non-const and does not write to them; it refuses a
// null pointer even where nothing is pointed to.
OSSL_PARAM octets(const char* name, Bytes bytes) {
  static const std::uint8_t nothing = 0;
  if (bytes.empty()) bytes = Bytes(&nothing, 0);
  return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(bytes.data()),
                                           bytes.size());
}

Status derive(const char* algorithm, const OSSL_PARAM* parameters, MutableBytes out) {
  const std::unique_ptr<EVP_KDF, FreeContext> kdf(EVP_KDF_fetch(nullptr, algorithm, nullptr));
  if (!kdf)
    return fail_with(std::string("OpenSSL has no ") + algorithm +
                     "; see the loaded providers with 'openssl list -providers'");
  const std::unique_ptr<EVP_KDF_CTX, FreeContext> context(EVP_KDF_CTX_new(kdf.get()));
  if (!context || EVP_KDF_derive(context.get(), out.data(), out.size(), parameters) != 1)
    return fail_with(std::string("OpenSSL refused to derive a key by ") + algorithm);
  return Ok{};
}

}  // namespace

void wipe(MutableBytes secret) {
  OPENSSL_cleanse(secret.data(), secret.size());
}

void random_bytes(MutableBytes out) {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    HOTPAIR_ASSERT(got > 0);
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

Status scrypt(std::string_view password, Bytes salt, std::uint64_t n, std::uint32_t r,
              std::uint32_t p, MutableBytes out) {
  const Bytes secret(reinterpret_cast<const std::uint8_t*>(password.data()), password.size());
  // OpenSSL's own bound of 32 MiB is just below what n = 2^15, r = 8 takes.
  std::uint64_t memory = 1024ull * 1024 * 1024 + 64ull * 1024 * 1024;
  const OSSL_PARAM parameters[] = {
      octets(OSSL_KDF_PARAM_PASSWORD, secret),
      octets(OSSL_KDF_PARAM_SALT, salt),
      OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
      OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
      OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
      OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &memory),
      OSSL_PARAM_construct_end()};
  return derive("SCRYPT", parameters, out);
}

Status hkdf_sha256(Bytes secret, Bytes salt, Bytes info, MutableBytes out) {
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      octets(OSSL_KDF_PARAM_KEY, secret), octets(OSSL_KDF_PARAM_SALT, salt),
      octets(OSSL_KDF_PARAM_INFO, info), OSSL_PARAM_construct_end()};
  return derive("HKDF", parameters, out);
}

bool equal_secrets(Bytes a, Bytes b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::array<std::uint8_t, 32> sha256(Bytes data) {
  std::array<std::uint8_t, 32> digest{};
  unsigned size = 0;
  const int done =
      EVP_Digest(data.data(), data.size(), digest.data(), &size, EVP_sha256(), nullptr);
  HOTPAIR_ASSERT(done == 1 && size == digest.size());
  return digest;
}

}  // namespace hotpair::sys
