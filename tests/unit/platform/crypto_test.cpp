#include "platform/linux/crypto.hpp"

#include <chrono>

#include <gtest/gtest.h>

#include "tests/unit/platform/hex.hpp"

namespace hotpair::sys {
namespace {

using test::from_hex;
using test::to_hex;

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
