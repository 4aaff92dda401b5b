#include "platform/linux/aes_gcm.hpp"

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

}  // namespace
}  // namespace hotpair::sys
