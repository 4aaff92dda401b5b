#include "platform/linux/crypto.hpp"

#include <chrono>

#include <gtest/gtest.h>

#include "tests/unit/platform/hex.hpp"

namespace hotpair::sys {
namespace {

using test::from_hex;
using test::to_hex;

Key256 key_of(std::string_view hex) {
  Key256 key{};
  const auto bytes = from_hex(hex);
  std::copy(bytes.begin(), bytes.end(), key.begin());
  return key;
}

Nonce96 nonce_of(std::string_view hex) {
  Nonce96 nonce{};
  const auto bytes = from_hex(hex);
  std::copy(bytes.begin(), bytes.end(), nonce.begin());
  return nonce;
}

std::string sealed_hex(Aes256Gcm& cipher, const Nonce96& nonce, Bytes aad, Bytes plain) {
  std::vector<std::uint8_t> out(plain.size() + kGcmTagSize);
  cipher.seal(nonce, aad, plain, out);
  return to_hex(out);
}

TEST(HkdfTest, RFC_5869_appendix_A_1) {
  const auto secret = from_hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
  const auto salt = from_hex("000102030405060708090a0b0c");
  const auto info = from_hex("f0f1f2f3f4f5f6f7f8f9");
  std::array<std::uint8_t, 42> out{};
  ASSERT_TRUE(hkdf_sha256(secret, salt, info, out).ok());
  EXPECT_EQ(to_hex(out),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
}

TEST(HkdfTest, RFC_5869_appendix_A_3_without_salt_and_info) {
  const auto secret = from_hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
  std::array<std::uint8_t, 42> out{};
  ASSERT_TRUE(hkdf_sha256(secret, {}, {}, out).ok());
  EXPECT_EQ(to_hex(out),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(ScryptTest, RFC_7914_section_12) {
  const std::string salt = "NaCl";
  std::array<std::uint8_t, 64> out{};
  const Bytes salt_bytes(reinterpret_cast<const std::uint8_t*>(salt.data()), salt.size());
  ASSERT_TRUE(scrypt("password", salt_bytes, 1024, 8, 16, out).ok());
  EXPECT_EQ(
      to_hex(out),
      "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9"
      "830dac727afb94a83ee6d8360cbdfa2cc0640");
}

TEST(ScryptTest, the_cost_that_the_heartbeat_uses_fits_the_memory_bound) {
  std::array<std::uint8_t, 32> out{};
  const std::array<std::uint8_t, 16> salt{};
  EXPECT_TRUE(scrypt("password", salt, 1u << 15, 8, 1, out).ok());
}

TEST(ScryptTest, a_cost_that_is_no_power_of_two_is_refused_as_a_value) {
  std::array<std::uint8_t, 32> out{};
  EXPECT_FALSE(scrypt("password", out, 1000, 8, 1, out).ok());
}

TEST(Sha256Test, the_empty_text) {
  EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

// Test cases 13 to 16 of the GCM specification that NIST SP 800-38D was made from.
TEST(Aes256GcmTest, NIST_case_13_nothing_at_all) {
  Aes256Gcm cipher(Key256{});
  EXPECT_EQ(sealed_hex(cipher, Nonce96{}, {}, {}), "530f8afbc74536b9a963b4f1c4cb738b");
}

TEST(Aes256GcmTest, NIST_case_14_one_block) {
  Aes256Gcm cipher(Key256{});
  const std::array<std::uint8_t, 16> zeros{};
  EXPECT_EQ(sealed_hex(cipher, Nonce96{}, {}, zeros),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
}

constexpr const char* kCaseKey = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
constexpr const char* kCaseNonce = "cafebabefacedbaddecaf888";
constexpr const char* kCaseAad = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
constexpr const char* kCasePlain =
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b5"
    "25"
    "b16aedf5aa0de657ba637b39";
constexpr const char* kCaseSealed =
    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b10568288"
    "38"
    "c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b";

TEST(Aes256GcmTest, NIST_case_16_with_authenticated_data) {
  Aes256Gcm cipher(key_of(kCaseKey));
  EXPECT_EQ(sealed_hex(cipher, nonce_of(kCaseNonce), from_hex(kCaseAad), from_hex(kCasePlain)),
            kCaseSealed);
  const auto sealed = from_hex(kCaseSealed);
  std::vector<std::uint8_t> plain(sealed.size() - kGcmTagSize);
  ASSERT_TRUE(cipher.open(nonce_of(kCaseNonce), from_hex(kCaseAad), sealed, plain));
  EXPECT_EQ(to_hex(plain), kCasePlain);
}

TEST(Aes256GcmTest, every_bit_that_is_flipped_is_noticed) {
  Aes256Gcm cipher(key_of(kCaseKey));
  const auto aad = from_hex(kCaseAad);
  const auto sealed = from_hex(kCaseSealed);
  std::vector<std::uint8_t> plain(sealed.size() - kGcmTagSize);
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    auto forged = sealed;
    forged[bit / 8] = static_cast<std::uint8_t>(forged[bit / 8] ^ (1u << (bit % 8)));
    ASSERT_FALSE(cipher.open(nonce_of(kCaseNonce), aad, forged, plain)) << "bit " << bit;
  }
  for (std::size_t bit = 0; bit < aad.size() * 8; ++bit) {
    auto forged = aad;
    forged[bit / 8] = static_cast<std::uint8_t>(forged[bit / 8] ^ (1u << (bit % 8)));
    ASSERT_FALSE(cipher.open(nonce_of(kCaseNonce), forged, sealed, plain)) << "bit " << bit;
  }
  EXPECT_TRUE(cipher.open(nonce_of(kCaseNonce), aad, sealed, plain));  // failures leave no trace
}

TEST(Aes256GcmTest, less_than_a_tag_is_refused) {
  Aes256Gcm cipher(Key256{});
  const std::array<std::uint8_t, 15> stub{};
  EXPECT_FALSE(cipher.open(Nonce96{}, {}, stub, {}));
}

TEST(Aes256GcmTest, sealing_in_place_gives_the_same_bytes) {
  Aes256Gcm cipher(key_of(kCaseKey));
  auto buffer = from_hex(kCasePlain);
  const std::size_t size = buffer.size();
  buffer.resize(size + kGcmTagSize);
  cipher.seal(nonce_of(kCaseNonce), from_hex(kCaseAad), Bytes(buffer).first(size), buffer);
  EXPECT_EQ(to_hex(buffer), kCaseSealed);
}

TEST(RandomTest, two_draws_differ) {
  std::array<std::uint8_t, 32> a{}, b{};
  random_bytes(a);
  random_bytes(b);
  EXPECT_NE(a, b);
}

TEST(WipeTest, leaves_zeros) {
  std::array<std::uint8_t, 8> secret = {1, 2, 3, 4, 5, 6, 7, 8};
  wipe(secret);
  EXPECT_EQ(secret, (std::array<std::uint8_t, 8>{}));
}

}  // namespace
}  // namespace hotpair::sys
